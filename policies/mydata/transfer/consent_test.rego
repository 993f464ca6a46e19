package mydata.transfer_test

import future.keywords.not

test_from_its_first_to_its_last_second if {
	codes(replaced("/consent/start", now)) == set()
	codes(replaced("/consent/start", now + 1)) == {"consent_not_started"}
	codes(replaced("/consent/end", now + 1)) == set()
	codes(replaced("/consent/end", now)) == {"consent_ended"}
}

test_only_while_active if {
	every state in ["withdrawn", "paused", "expired", ""] {
		codes(replaced("/consent/state", state)) == {"consent_not_active"}
	}
}

test_only_a_token_of_this_version if codes(replaced("/token/consent_version", 2)) == {"consent_version_mismatch"}

test_only_for_the_purpose_consented_to if {
	codes([{"op": "add", "path": "/request/purpose", "value": "household-finance"}]) == set()
	codes([{"op": "add", "path": "/request/purpose", "value": "another"}]) == {"purpose_mismatch"}
}
