package mydata.transfer_test

import data.mydata.transfer
import future.keywords.not

acts(change) := [{"op": "add", "path": "/subject/acting", "value": object.union(
	{"role": "delegate", "verified": true, "until": now + 1, "purposes": ["household-finance"], "stepped_up": true},
	change,
)}]

child := replaced("/subject/age", 13)

test_a_guardian_below_fourteen if {
	codes(child) == {"guardian_required"}
	codes(replaced("/subject/age", 14)) == set()
	codes(array.concat(child, acts({"role": "guardian"}))) == set()
	codes(array.concat(child, acts({}))) == {"guardian_required"}
}

test_a_mandate_is_proven_in_time_and_for_the_purpose if {
	codes(acts({})) == set()
	codes(acts({"verified": false})) == {"mandate_unverified"}
	codes(acts({"until": now})) == {"mandate_ended"}
	codes(acts({"purposes": ["another"]})) == {"mandate_outside_purpose"}
	codes(acts({"role": "guardian", "purposes": []})) == set()
}

test_a_mandate_of_an_unknown_role_is_none if {
	codes(acts({"role": "friend"})) == {"input_incomplete"}
	not decided(acts({"role": "friend"})).allow
}

test_a_delegate_steps_up_for_what_is_sensitive if {
	kept(acts({"stepped_up": false})) == {"step_up_required"}
	kept(acts({"stepped_up": true})) == set()
	kept(acts({"role": "guardian", "stepped_up": false})) == set()
	plain := array.concat(acts({"stepped_up": false}), replaced("/request/items/0/sensitive", []))
	kept(plain) == set()
}

test_without_an_age_limit_nobody_is_ready if {
	answer := transfer.decision with input as question with data.mydata.reference.limits.guardian_age as []
	not answer.allow
}
