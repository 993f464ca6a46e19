package mydata.transfer_test

import future.keywords.not

test_not_further_back_than_consented if {
	kept(replaced("/request/items/0/history_from", 1780000000)) == set()
	kept(replaced("/request/items/0/history_from", 1779999999)) == {"history_too_old"}
}

test_not_further_back_than_the_sector_reaches if {
	far := [
		{"op": "replace", "path": "/request/items/0/history_from", "value": 0},
		{"op": "replace", "path": "/consent/items/0/history_from", "value": 0},
	]
	kept(far) == {"history_too_old"}
}
