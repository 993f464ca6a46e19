package mydata.transfer_test

import data.mydata.transfer
import future.keywords.not

by_youth(age, sectors) := answer if {
	asked := json.patch(question, replaced("/subject/age", age))
	answer := transfer.decision with input as asked with data.mydata.reference.youth as {"household-finance": sectors}
}

stayed(decision) := {reason.code | some reason in decision.withheld}

test_youth_agrees_alone_to_what_is_open_to_it if {
	by_youth(18, ["finance"]).allow
	stayed(by_youth(18, ["finance"])) == set()
	stayed(by_youth(18, [])) == {"not_for_youth"}
	stayed(by_youth(18, ["telecom"])) == {"not_for_youth"}
	stayed(by_youth(19, [])) == set()
}

test_without_an_adult_age_only_what_is_open_to_youth_leaves if {
	open := transfer.decision with input as question with data.mydata.reference.limits.adult_age as []
	open.allow
	shut := transfer.decision with input as question
		with data.mydata.reference.limits.adult_age as []
		with data.mydata.reference.youth as {}
	not shut.allow
	stayed(shut) == {"not_proven"}
}
