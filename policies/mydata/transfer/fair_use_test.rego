package mydata.transfer_test

import data.mydata.transfer
import future.keywords.not

sent(recent) := replaced("/request/items/0/prior", {"count": 99, "last": now - 604800, "recent": recent})

test_so_often_in_a_month if {
	kept(sent(30)) == set()
	kept(sent(31)) == {"used_too_often"}
}

# Of three rows that match, the strictest counts; of rows to come, none.
test_the_strictest_row_counts if {
	rows := [
		{"purpose": "*", "sector": "*", "times": 9, "retention_days": null, "effective_from": 0},
		{"purpose": "household-finance", "sector": "finance", "times": 4, "retention_days": 20, "effective_from": 0},
		{"purpose": "another", "sector": "finance", "times": 1, "retention_days": 1, "effective_from": 0},
		{"purpose": "*", "sector": "energy", "times": 1, "retention_days": 1, "effective_from": 0},
		{"purpose": "*", "sector": "*", "times": 1, "retention_days": 1, "effective_from": now + 1},
	]
	within := transfer.decision with input as json.patch(question, sent(3)) with data.mydata.reference.fair_use as rows
	within.allow
	{"type": "retain_until", "until": now + (20 * 86400)} in within.obligations
	beyond := transfer.decision with input as json.patch(question, sent(4)) with data.mydata.reference.fair_use as rows
	not beyond.allow
	beyond.withheld[0].code == "used_too_often"
	beyond.withheld[0].params == {"days": 30, "times": 4}
}

test_without_a_row_nothing_is_fair if {
	answer := transfer.decision with input as question with data.mydata.reference.fair_use as []
	not answer.allow
	answer.withheld[0].code == "not_proven"
}

test_a_door_is_not_hammered if {
	codes([{"op": "add", "path": "/request/asked_in_day", "value": 199}]) == set()
	codes([{"op": "add", "path": "/request/asked_in_day", "value": 200}]) == {"asked_too_often"}
}

test_without_a_limit_of_requests_nothing_is_allowed if {
	answer := transfer.decision with input as question with data.mydata.reference.limits.requests_a_day as []
	not answer.allow
}

test_a_row_counts_from_its_first_second if {
	row := {"purpose": "*", "sector": "*", "times": 1, "retention_days": 7, "effective_from": now}
	answer := transfer.decision with input as question with data.mydata.reference.fair_use as [row]
	{"type": "retain_until", "until": now + (7 * 86400)} in answer.obligations
}

test_not_asked_before_is_none if {
	limit := [{"value": 1, "effective_from": 0}]
	answer := transfer.decision with input as question with data.mydata.reference.limits.requests_a_day as limit
	answer.allow
}
