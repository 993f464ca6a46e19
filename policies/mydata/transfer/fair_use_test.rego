package mydata.transfer_test

import data.mydata.transfer
import future.keywords.not

sent(recent) := replaced("/request/items/0/prior", {"count": 99, "last": now - 604800, "recent": recent})

test_so_often_in_a_month if {
	kept(sent(30)) == set()
	kept(sent(31)) == {"used_too_often"}
}

# A row as the data has it, with what the test says instead.
row_of(other) := object.union(
	{
		"purpose": "*",
		"fetch": "*",
		"data": "*",
		"expiry_days": null,
		"range_days": null,
		"request_days": null,
		"retention_days": null,
		"windows": [{"days": 30, "times": 9}],
		"effective_from": 0,
	},
	other,
)

by(patch, rows) := answer if {
	document := json.patch(question, patch)
	answer := transfer.decision with input as document with data.mydata.reference.fair_use as rows
}

refused_by(patch, rows) := {reason.code | some reason in by(patch, rows).withheld}

# Of the rows that match, the strictest counts; of rows to come, none.
test_the_strictest_row_counts if {
	rows := [
		row_of({}),
		row_of({
			"purpose": "household-finance", "data": "finance", "retention_days": 20,
			"windows": [{"days": 30, "times": 4}],
		}),
		row_of({
			"purpose": "another", "data": "finance", "retention_days": 1,
			"windows": [{"days": 30, "times": 1}],
		}),
		row_of({"data": "energy", "retention_days": 1, "windows": [{"days": 30, "times": 1}]}),
		row_of({"effective_from": now + 1, "retention_days": 1, "windows": [{"days": 30, "times": 1}]}),
	]
	within := by(sent(3), rows)
	within.allow
	{"type": "retain_until", "until": now + (20 * 86400)} in within.obligations
	beyond := by(sent(4), rows)
	not beyond.allow
	{reason.params.times | some reason in beyond.withheld; reason.code == "used_too_often"} == {4}
}

# Each limit is the strictest of its own: no row gives an item all the widest, or all its own.
test_each_attribute_is_the_strictest_of_all_rows if {
	rows := [
		row_of({"data": "finance", "range_days": 400, "expiry_days": 101}),
		row_of({"range_days": 177, "expiry_days": 500}),
	]
	refused_by([], rows) == set()
	mine := row_of({"data": "finance.deposit-transactions", "range_days": 10})
	refused_by([], array.concat(rows, [mine])) == {"fair_use_exceeded"}
	other := row_of({"data": "finance.card-approvals", "range_days": 10})
	refused_by([], array.concat(rows, [other])) == set()
}

sent_today(month, day) := replaced("/request/items/0/prior", {
	"count": 99,
	"last": now - 604800,
	"recent": month,
	"day": day,
})

test_counted_in_a_day if {
	row := row_of({"windows": [{"days": 1, "times": 2}, {"days": 30, "times": 9}]})
	refused_by(sent_today(5, 1), [row]) == set()
	answer := by(sent_today(5, 2), [row])
	{reason.params | some reason in answer.withheld} == {{"days": 1, "times": 2}}
}

# 45 in 30 days is 45 in one day if need be, and never 1.5 a day.
test_45_per_month_is_not_one_and_a_half_per_day if {
	row := row_of({"windows": [{"days": 30, "times": 45}]})
	refused_by(sent_today(44, 44), [row]) == set()
	refused_by(sent_today(45, 45), [row]) == {"used_too_often"}
}

reaching(moment) := array.concat(
	replaced("/request/items/0/history_from", moment),
	replaced("/consent/items/0/history_from", 1),
)

test_so_long_and_so_far_back if {
	exceeded := {"fair_use_exceeded"}
	refused_by(replaced("/consent/end", now + 86400), [row_of({"expiry_days": 1})]) == set()
	refused_by(replaced("/consent/end", now + 86401), [row_of({"expiry_days": 1})]) == exceeded
	refused_by(reaching((now - 86400) - (30 * 86400)), [row_of({"range_days": 30})]) == set()
	refused_by(reaching((now - 86400) - (31 * 86400)), [row_of({"range_days": 30})]) == exceeded
	refused_by(reaching(now - ((30 * 86400) + 86399)), [row_of({"request_days": 30})]) == set()
	refused_by(reaching(now - (31 * 86400)), [row_of({"request_days": 30})]) == exceeded
}

test_the_attribute_and_its_limit_are_named if {
	answer := by([], [row_of({"range_days": 10, "expiry_days": 5, "request_days": 7})])
	not answer.allow
	{reason.params | some reason in answer.withheld} == {
		{"attribute": "expiry", "days": 5},
		{"attribute": "range", "days": 10},
		{"attribute": "request", "days": 7},
	}
	{reason.article | some reason in answer.withheld} == {null}
}

# The fetch is that of the consent: asked once under a cycle is a cycle.
test_a_row_of_one_fetch if {
	once := array.concat(
		replaced("/request/items/0/frequency", "once"),
		replaced("/request/items/0/interval_days", null),
	)
	agreed := array.concat(once, replaced("/consent/items/0/frequency", "once"))
	only_once := [row_of({}), row_of({"fetch": "once", "range_days": 1})]
	periodic := [row_of({}), row_of({"fetch": "periodic", "range_days": 1})]
	refused_by([], only_once) == set()
	refused_by([], periodic) == {"fair_use_exceeded"}
	refused_by(once, periodic) == {"fair_use_exceeded"}
	refused_by(agreed, periodic) == set()
	refused_by(agreed, only_once) == {"fair_use_exceeded"}
}

test_without_a_row_nothing_is_fair if {
	answer := by([], [])
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
	row := row_of({"retention_days": 7, "effective_from": now})
	{"type": "retain_until", "until": now + (7 * 86400)} in by([], [row]).obligations
}

test_not_asked_before_is_none if {
	limit := [{"value": 1, "effective_from": 0}]
	answer := transfer.decision with input as question with data.mydata.reference.limits.requests_a_day as limit
	answer.allow
}

test_what_nobody_counted_is_none if {
	transfer.sent_within({"prior": {}}, 1) == 0
	transfer.sent_within({"prior": {}}, 30) == 0
}

# The rows of a fetch follow the consent to this very item, not to its like elsewhere.
test_the_fetch_is_that_of_the_item if {
	item := question.request.items[0]
	given := object.union(question.consent.items[0], {"frequency": "once"})
	like := [
		given,
		object.union(given, {"holder": "another-bank", "frequency": "P7D"}),
		object.union(given, {"dataset": "finance.cards", "frequency": "P7D"}),
	]
	transfer.fetches(item) == {"*", "once"} with input as json.patch(question, replaced("/consent/items", like))
}

# By the side that allows alone: the other one is asked in the tests above.
test_a_limit_holds_to_the_second if {
	asked := {"history_from": now - ((2 * 86400) + 86399)}
	transfer.fairly_wide(0, asked) with input as question with transfer.widest as [{"request": 2}]
	later := {"history_from": now - (3 * 86400)}
	not transfer.fairly_wide(0, later) with input as question with transfer.widest as [{"request": 2}]
}
