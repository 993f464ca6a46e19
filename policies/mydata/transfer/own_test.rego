package mydata.transfer_test

import data.mydata.reference
import data.mydata.transfer
import future.keywords.not

own_item := {
	"holder": "nuri-telecom",
	"sector": "telecom",
	"dataset": "telecom.bills",
	"fields": ["bill_month", "charge_amt"],
	"sensitive": [],
	"frequency": "once",
	"interval_days": null,
	"history_from": 1780000000,
	"prior": {"count": 0, "last": null, "recent": 0},
}

own_question := {
	"request": {"id": "q-1", "time": 1795305600, "operation": "self_download", "items": [own_item]},
	"client": {"id": "self", "status": "active", "kinds": {}, "country": "KR"},
	"consent": {
		"id": "q-1",
		"version": 1,
		"state": "active",
		"start": 1795305600,
		"end": 1795392000,
		"purpose": "own-use",
		"retention_days": 7,
		"items": [object.filter(own_item, ["holder", "dataset", "fields", "frequency", "history_from"])],
	},
	"token": {"consent_version": 1},
	"consortium": null,
	"operator": {"role": "designated_intermediary"},
	"subject": {"age": 34},
}

own_decided(patch) := answer if {
	answer := transfer.decision with input as json.patch(own_question, patch)
}

own_replaced(path, value) := [{"op": "replace", "path": path, "value": value}]

own_added(path, value) := [{"op": "add", "path": path, "value": value}]

own_codes(patch) := {reason.code | some reason in own_decided(patch).codes}

test_own_given_to_the_citizen_untreated if {
	answer := own_decided([])
	answer.allow
	answer.codes == []
	answer.withheld == []
	answer.granted == [{
		"holder": "nuri-telecom",
		"dataset": "telecom.bills",
		"fields": ["bill_month", "charge_amt"],
		"basis": "portability",
		"article": "PIPA Enforcement Decree 42-2(1)3",
	}]
	answer.obligations == [{"type": "retain_until", "until": 1795910400}]
}

test_own_defined_and_denied_on_anything if {
	every odd in [null, 1, "x", [], {}, {"request": {"operation": "self_download"}}] {
		answer := transfer.decision with input as odd
		answer.allow == false
		count(answer.codes) > 0
		answer.granted == []
		answer.obligations == []
	}
}

test_own_denied_without_reference_data if {
	answer := transfer.own_decision with input as own_question with data.mydata.reference as {}
	answer.allow == false
	count(answer.codes) > 0
}

test_own_nobody_else_receives if own_codes(own_replaced("/client/id", "deundeun-budget")) == {"not_the_citizen"}

test_own_too_often_in_a_day if {
	own_codes(own_added("/request/asked_in_day", 20)) == {"asked_too_often"}
	own_codes(own_added("/request/asked_in_day", 19)) == set()
	own_decided(own_added("/request/asked_in_day", 20)).codes[0].params == {"times": 20}
}

# Who asks for the first time has asked nothing yet.
test_own_the_first_of_one_a_day if {
	limits := object.union(reference.limits, {"own_requests_a_day": [{"value": 1, "effective_from": 0}]})
	answer := transfer.own_decision with input as own_question with data.mydata.reference.limits as limits
	answer.allow
	document := json.patch(own_question, own_added("/request/asked_in_day", 1))
	denied := transfer.own_decision with input as document with data.mydata.reference.limits as limits
	denied.codes[0].code == "asked_too_often"
}

test_own_what_every_question_must_keep if {
	own_codes(own_replaced("/subject/age", 13)) == {"guardian_required"}
	own_codes(own_replaced("/consent/state", "cancelled")) == {"consent_not_active"}
	own_codes(own_replaced("/consent/end", 1795305600)) == {"consent_ended"}
	own_codes(own_replaced("/consent/start", 1795305601)) == {"consent_not_started"}
	own_codes(own_replaced("/token/consent_version", 2)) == {"consent_version_mismatch"}
	own_codes(own_added("/request/purpose", "other")) == {"purpose_mismatch"}
	own_decided(own_replaced("/subject/age", "x")).codes[0].params == {"fact": "subject"}
	ended := {"role": "delegate", "verified": true, "until": 1795305600, "purposes": ["own-use"], "stepped_up": true}
	own_codes(own_added("/subject/acting", ended)) == {"mandate_ended"}
}

test_own_denied_when_nothing_is_left if own_codes(own_replaced("/consent/items", [])) == {"nothing_granted"}

test_own_something_unknown_denies if {
	answer := transfer.own_decision with input as own_question with data.mydata.transfer.consent_live as false
	answer.allow == false
	answer.codes == [{"code": "input_incomplete", "article": null, "params": {"fact": "unknown"}}]
}

test_own_a_denial_is_enough_by_itself if {
	not transfer.own_allow with input as own_question with data.mydata.transfer.own_denial as {{"code": "x", "params": {}}}
}

own_alone(patch) := answer if {
	document := json.patch(own_question, patch)
	answer := transfer.own_allow with input as document with data.mydata.transfer.own_denial as set()
}

# Were every denial forgotten, what must hold would still not be shown to hold.
test_own_what_must_hold_is_enough_by_itself if {
	own_alone([])
	own_alone(own_added("/request/asked_in_day", 19))
	every patch in [
		own_replaced("/request/items/0/prior", {"count": 0, "last": 5, "recent": 0}),
		own_replaced("/subject/age", 13),
		own_replaced("/consent/state", "cancelled"),
		own_replaced("/client/id", "deundeun-budget"),
		own_added("/request/asked_in_day", 20),
	] {
		not own_alone(patch)
	}
}
