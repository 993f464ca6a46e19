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

test_retention_as_consented_but_never_above_the_limit if {
	{"type": "retain_until", "until": now + (90 * 86400)} in decided([]).obligations
	{"type": "retain_until", "until": now + (366 * 86400)} in decided(replaced("/consent/retention_days", 9999)).obligations
}

notified(about, patch) if {"type": "notify", "to": "citizen", "about": about} in decided(patch).obligations

test_the_citizen_hears_of_what_stays_and_of_what_is_sensitive if {
	less := replaced("/consent/items/0/fields", ["trans_amt"])
	notified("sensitive", [])
	not notified("withheld", [])
	notified("withheld", less)
	not notified("sensitive", less)
}
