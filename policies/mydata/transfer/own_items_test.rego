package mydata.transfer_test

import data.mydata.transfer
import future.keywords.not

own_withheld(patch) := {reason.code | some reason in own_decided(patch).withheld}

test_own_a_duty_from_its_day if {
	not transfer.own_basis("retail") with input as own_question
	later := json.patch(own_question, own_replaced("/request/time", 1803049200))
	transfer.own_basis("retail").basis == "portability" with input as later
}

test_own_by_the_holders_own_accord_in_the_sandbox if {
	sandbox := json.patch(own_question, own_replaced("/operator/role", "sandbox"))
	given := {"basis": "consent", "article": "PIPA Enforcement Decree 42-4(3)"}
	transfer.own_basis("retail") == given with input as sandbox
	not transfer.own_basis("welfare") with input as sandbox
}

test_own_no_duty_says_so if {
	patch := [
		{"op": "replace", "path": "/request/items/0/sector", "value": "retail"},
		{"op": "replace", "path": "/request/items/0/dataset", "value": "retail.orders"},
		{"op": "replace", "path": "/consent/items/0/dataset", "value": "retail.orders"},
	]
	own_withheld(patch) == {"no_download_duty"}
}

test_own_once_and_not_on_a_cycle if {
	own_withheld(own_replaced("/request/items/0/frequency", "P7D")) == {"frequency_not_consented"}
}

test_own_no_further_back_than_the_sector if {
	own_withheld(own_replaced("/request/items/0/history_from", 1)) == {"history_too_old"}
}

test_own_what_the_request_does_not_name if {
	own_withheld(own_replaced("/consent/items/0/fields", ["charge_amt"])) == {"field_not_consented"}
	own_decided(own_replaced("/consent/items/0/fields", ["charge_amt"])).granted[0].fields == ["charge_amt"]
	own_withheld(own_added("/request/items/-", own_item)) == {"duplicate_item"}
	own_withheld(own_replaced("/request/items/0/sector", "energy")) == {"sector_mismatch"}
}

test_own_withheld_is_told if {
	some duty in own_decided(own_replaced("/consent/items/0/fields", ["charge_amt"])).obligations
	duty == {"type": "notify", "to": "citizen", "about": "withheld"}
}

test_own_stamped_in_the_sandbox if {
	some duty in own_decided(own_replaced("/operator/role", "sandbox")).obligations
	duty == {"type": "stamp", "value": "sandbox"}
}

test_own_not_proven_is_kept_back if {
	answer := transfer.own_decision with input as own_question with data.mydata.transfer.pairs as []
	{reason.code | some reason in answer.withheld} == {"not_proven"}
	{reason.code | some reason in answer.codes} == {"nothing_granted"}
}
