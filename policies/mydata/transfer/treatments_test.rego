package mydata.transfer_test

import data.mydata.transfer
import future.keywords.not

rows(how) := [
	{
		"dataset": "finance.deposit-transactions", "field": "trans_memo", "kinds": ["licensed_operator"],
		"how": how, "to": "day", "effective_from": now,
	},
	{
		"dataset": "finance.deposit-transactions", "field": "trans_amt", "kinds": ["licensed_operator"],
		"how": how, "to": "day", "effective_from": now + 1,
	},
	{
		"dataset": "finance.deposit-transactions", "field": "trans_amt", "kinds": ["general"],
		"how": how, "to": "day", "effective_from": 0,
	},
	{
		"dataset": "finance.cards", "field": "trans_amt", "kinds": ["licensed_operator"],
		"how": how, "to": "day", "effective_from": 0,
	},
	{
		"dataset": "finance.deposit-transactions", "field": "never_asked", "kinds": ["licensed_operator"],
		"how": how, "to": "day", "effective_from": 0,
	},
]

treated(how) := answer if {
	answer := transfer.decision with input as question with data.mydata.reference.treatments as rows(how)
}

of_fields(how) := {condition | some condition in treated(how).obligations; condition.field}

test_a_field_is_masked_or_coarsened_for_its_recipients_from_its_day if {
	of_fields("mask") == {{"type": "mask", "dataset": "finance.deposit-transactions", "field": "trans_memo"}}
	of_fields("coarsen") == {{
		"type": "coarsen", "dataset": "finance.deposit-transactions",
		"field": "trans_memo", "to": "day",
	}}
}

test_a_dropped_field_stays_and_says_so if {
	answer := treated("drop")
	of_fields("drop") == set()
	answer.granted[0].fields == ["trans_amt"]
	answer.withheld[0].code == "field_dropped"
	answer.withheld[0].params == {"fields": ["trans_memo"]}
}
