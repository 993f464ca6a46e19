package mydata.transfer_test

import data.mydata.transfer
import future.keywords.not

test_allowed_with_everything_in_order if {
	answer := decided([])
	answer.allow
	answer.codes == []
	answer.withheld == []
	count(answer.granted) == 1
}

test_defined_and_denied_on_anything if {
	every odd in [null, 1, "x", [], {}, {"request": 1}, {"request": {"items": {}}}, {"consent": []}] {
		answer := transfer.decision with input as odd
		answer.allow == false
		count(answer.codes) > 0
		answer.granted == []
		answer.obligations == []
	}
}

test_denied_without_reference_data if {
	answer := transfer.decision with input as question with data.mydata.reference as {}
	answer.allow == false
	count(answer.codes) > 0
	answer.granted == []
}

test_denied_when_nothing_is_left if {
	codes(replaced("/consent/items", [])) == {"nothing_granted"}
	decided(replaced("/consent/items", [])).obligations == []
}

test_every_needed_fact_is_needed if {
	every path in [
		"/request/time", "/consent/start", "/consent/end", "/consent/version", "/consent/retention_days",
		"/consent/purpose", "/token/consent_version", "/operator/role", "/subject/age", "/client/id",
		"/client/kinds", "/client/status", "/client/country", "/consent/state",
	] {
		answer := decided(removed(path))
		answer.allow == false
		count(answer.codes) > 0
	}
}

test_a_fact_of_the_wrong_kind_is_no_fact if {
	every path in [
		"/request/time", "/consent/start", "/consent/end", "/consent/version", "/consent/retention_days",
		"/token/consent_version", "/subject/age",
	] {
		"input_incomplete" in codes(replaced(path, {"not": "a number"}))
	}
}

test_an_item_nothing_is_known_of_is_not_proven if {
	kept(removed("/request/items/0/history_from")) == {"not_proven"}
}

test_a_denial_always_has_a_code if {
	reasons := transfer.codes with input as question with data.mydata.transfer.allow as false
	{reason.code | some reason in reasons} == {"input_incomplete"}
}

alone(patch) := answer if {
	document := json.patch(question, patch)
	answer := transfer.allow with input as document with data.mydata.transfer.denial as set()
}

# Were every denial forgotten, what must hold would still not be shown to hold.
test_what_must_hold_is_enough_by_itself if {
	alone([])
	every patch in [
		replaced("/client/status", "suspended"),
		replaced("/client/country", "JP"),
		replaced("/consent/state", "paused"),
		replaced("/consent/start", now + 1),
		replaced("/consent/end", now),
		replaced("/token/consent_version", 2),
		[{"op": "add", "path": "/request/purpose", "value": "another"}],
		replaced("/consortium/recipients", []),
		replaced("/consortium/purposes", []),
		replaced("/consortium/start", now + 1),
		replaced("/consortium/end", now),
		replaced("/request/operation", "delete"),
		replaced("/operator/role", 5),
		replaced("/request/items/0/prior", {"count": 0, "last": 5}),
		replaced("/subject/age", 13),
		[{"op": "add", "path": "/request/asked_in_day", "value": 200}],
		acts({"verified": false}),
		acts({"until": now}),
		acts({"purposes": []}),
		array.concat(child, acts({})),
		array.concat(child, acts({"role": "guardian", "verified": false})),
	] {
		not alone(patch)
	}
	alone(array.concat(child, acts({"role": "guardian"})))
	alone([{"op": "add", "path": "/request/asked_in_day", "value": 199}])
}

test_a_denial_is_enough_by_itself if {
	not transfer.allow with input as question with data.mydata.transfer.denial as {{"code": "x", "params": {}}}
}

granted_alone(patch) := answer if {
	document := json.patch(question, patch)
	answer := transfer.grantable with input as document with data.mydata.transfer.refusal as set()
}

# Were every refusal of an item forgotten, it would still not be granted.
test_an_item_is_granted_only_when_all_is_shown if {
	count(granted_alone([])) == 1
	given := question.consent.items[0]
	every patch in [
		replaced("/request/items/0/sector", "retail"),
		replaced("/consortium/holders", []),
		replaced("/consortium/sectors", []),
		replaced("/client/kinds", {}),
		replaced("/operator/role", "friend"),
		replaced("/request/items/0/interval_days", 1),
		replaced("/consent/items/0/frequency", "once"),
		replaced("/request/items/0/prior", {"count": 1, "last": now - 1}),
		replaced("/request/items/0/prior", {"count": 99, "last": now - 604800, "recent": 31}),
		replaced("/request/items/0/history_from", 1),
		[{"op": "add", "path": "/consent/items/-", "value": given}],
		acts({"stepped_up": false}),
		array.concat(daily, replaced("/request/items/0/history_from", 1780000000)),
	] {
		granted_alone(patch) == set()
	}
	general := array.concat(telecom, [{"op": "add", "path": "/client/kinds/telecom", "value": "general"}])
	granted_alone(general) == set()
	retail := json.patch(question, array.concat(shop, replaced("/consortium/contract", "")))
	bare := transfer.grantable with input as retail with data.mydata.transfer.refusal as set()
	bare == set()
	count(granted_alone(shop)) == 1
	granted_alone(array.concat(shop, replaced("/consortium/contract", 5))) == set()
}

asked_once := array.concat(
	replaced("/request/items/0/frequency", "once"),
	replaced("/request/items/0/interval_days", null),
)

test_an_item_asked_once_is_granted_only_when_all_is_shown if {
	count(granted_alone(asked_once)) == 1
	granted_alone(array.concat(asked_once, replaced("/client/kinds", {}))) == set()
}

test_an_item_kept_for_too_long_is_not_granted if {
	granted_alone(replaced("/consent/end", now + (400 * 86400))) == set()
}

test_an_item_of_another_sector_is_not_granted if {
	mine := array.concat(telecom, [{"op": "add", "path": "/client/kinds/telecom", "value": "specialised"}])
	count(granted_alone(mine)) == 1
	granted_alone(array.concat(mine, replaced("/request/items/0/dataset", "finance.bills"))) == set()
	asked := array.concat(mine, replaced("/request/items/0/dataset", "finance.bills"))
	granted_alone(array.concat(asked, replaced("/consent/items/0/dataset", "finance.bills"))) == set()
}

# Two holders of one dataset, two datasets of one holder: a grant stands beside its own item only.
test_a_grant_stands_beside_what_was_asked if {
	item := question.request.items[0]
	given := {"holder": item.holder, "dataset": item.dataset, "fields": item.fields}
	elsewhere := [object.union(item, {"holder": "another-bank"}), object.union(item, {"dataset": "finance.cards"})]
	asked := json.patch(question, replaced("/request/items", array.concat([item], elsewhere)))
	found := transfer.granted_as with input as asked with data.mydata.transfer.grantable as {given}
	found == {{"grant": given, "item": item, "place": 0}}
}

daily := [
	{"op": "replace", "path": "/request/items/0/frequency", "value": "P1D"},
	{"op": "replace", "path": "/request/items/0/interval_days", "value": 1},
	{"op": "replace", "path": "/consent/items/0/frequency", "value": "P1D"},
]

shop := [
	{"op": "replace", "path": "/request/items/0/sector", "value": "retail"},
	{"op": "replace", "path": "/request/items/0/dataset", "value": "retail.orders"},
	{"op": "replace", "path": "/consent/items/0/dataset", "value": "retail.orders"},
	{"op": "replace", "path": "/consortium/sectors", "value": ["retail"]},
	{"op": "add", "path": "/client/kinds/retail", "value": "contract"},
]

facts_missing(patch) := {reason.params.fact | some reason in decided(patch).codes; reason.code == "input_incomplete"}

test_each_fact_is_of_its_kind if {
	facts_missing([]) == set()
	"client" in facts_missing(replaced("/client/id", 5))
	"client" in facts_missing(replaced("/client/kinds", "x"))
	every path in [
		"/request/items/0/fields", "/request/items/0/sensitive", "/request/items/0/history_from",
		"/request/items/0/prior/count", "/consent/items/0/fields", "/consent/items/0/history_from",
	] {
		"items" in facts_missing(replaced(path, "x"))
	}
	"items" in facts_missing(replaced("/consent/items/0/frequency", 5))
	every name in ["start", "end", "holders", "recipients", "sectors", "purposes"] {
		"consortium" in facts_missing(replaced(concat("", ["/consortium/", name]), "x"))
	}
}

test_a_code_names_what_it_is_about if {
	nowhere := decided(removed("/client/country")).codes
	{reason.params.country | some reason in nowhere; reason.code == "cross_border"} == {"unknown"}
	stateless := decided(removed("/consent/state")).codes
	{reason.params.state | some reason in stateless; reason.code == "consent_not_active"} == {"unknown"}
	denied := transfer.codes with input as question with data.mydata.transfer.allow as false
	denied == [{"code": "input_incomplete", "article": null, "params": {"fact": "unknown"}}]
	outside := decided(replaced("/consortium/recipients", [])).codes
	outside[0].params == {"consortium": "consortium-2026-01"}
	ended := decided(replaced("/consortium/end", now)).codes
	ended[0].params == {"consortium": "consortium-2026-01", "start": now - 86400, "end": now}
	unknown := decided(replaced("/request/operation", "delete")).codes
	unknown == [{"code": "operation_unknown", "article": null, "params": {}}]
	decided(array.concat(shop, replaced("/consortium/contract", ""))).withheld[0].params == {"sector": "retail"}
	specialised := array.concat(telecom, [{"op": "add", "path": "/client/kinds/telecom", "value": "specialised"}])
	statutory := array.concat(specialised, replaced("/operator/role", "processor"))
	decided(statutory).withheld[0].params == {"sector": "telecom"}
}
