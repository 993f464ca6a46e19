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
