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
	own_params(patch) == {"sector": "retail"}
}

# What the one reason is about.
own_params(patch) := reason.params if {
	reasons := own_decided(patch).withheld
	count(reasons) == 1
	reason := reasons[0]
}

test_own_once_and_not_on_a_cycle if {
	own_withheld(own_replaced("/request/items/0/frequency", "P7D")) == {"frequency_not_consented"}
	own_params(own_replaced("/request/items/0/frequency", "P7D")) == {"frequency": "once"}
}

test_own_no_further_back_than_the_sector if {
	own_withheld(own_replaced("/request/items/0/history_from", 1)) == {"history_too_old"}
	earliest := 1795305600 - (366 * 86400)
	own_params(own_replaced("/request/items/0/history_from", earliest - 1)) == {"from": earliest}
	own_decided(own_replaced("/request/items/0/history_from", earliest)).allow
}

own_granted_alone(patch) := answer if {
	document := json.patch(own_question, patch)
	answer := transfer.own_grantable with input as document with data.mydata.transfer.own_refusal as set()
}

# Were every refusal of an item forgotten, it would still not be handed over.
test_own_an_item_is_granted_only_when_all_is_shown if {
	count(own_granted_alone([])) == 1
	earliest := 1795305600 - (366 * 86400)
	count(own_granted_alone(own_replaced("/request/items/0/history_from", earliest))) == 1
	every patch in [
		own_added("/consent/items/-", own_question.consent.items[0]),
		own_replaced("/request/items/0/sector", "energy"),
		own_replaced("/request/items/0/frequency", "P7D"),
		own_replaced("/request/items/0/history_from", earliest - 1),
		own_replaced("/consent/items/0/fields", []),
	] {
		own_granted_alone(patch) == set()
	}
}

test_own_what_the_request_does_not_name if {
	own_withheld(own_replaced("/consent/items/0/fields", ["charge_amt"])) == {"field_not_consented"}
	own_decided(own_replaced("/consent/items/0/fields", ["charge_amt"])).granted[0].fields == ["charge_amt"]
	own_withheld(own_added("/request/items/-", own_item)) == {"duplicate_item"}
	own_withheld(own_added("/consent/items/-", own_question.consent.items[0])) == {"consent_ambiguous"}
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
