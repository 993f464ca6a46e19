package mydata.transfer_test

import future.keywords.not

types(patch) := {condition.type | some condition in decided(patch).obligations}

test_always_pseudonymise_suppress_and_retain_until if {
	every role in ["sandbox", "designated_intermediary", "processor"] {
		count({"pseudonymise", "suppress_identifiers", "retain_until"} - types(replaced("/operator/role", role))) == 0
	}
}

test_the_stamp_belongs_to_the_sandbox if {
	"stamp" in types([])
	not "stamp" in types(replaced("/operator/role", "designated_intermediary"))
}

retained(patch) := {condition.until | some condition in decided(patch).obligations; condition.type == "retain_until"}

test_retention_as_consented_but_never_above_the_limit if {
	retained([]) == {now + (90 * 86400)}
	retained(replaced("/consent/retention_days", 9999)) == {now + (366 * 86400)}
}

notified(about, patch) if {"type": "notify", "to": "citizen", "about": about} in decided(patch).obligations

test_the_citizen_hears_of_what_stays_and_of_what_is_sensitive if {
	less := replaced("/consent/items/0/fields", ["trans_amt"])
	notified("sensitive", [])
	not notified("withheld", [])
	notified("withheld", less)
	not notified("sensitive", less)
}
