package mydata.transfer_test

import data.mydata.transfer
import future.keywords.not

test_a_week_between_two_transfers if {
	kept(replaced("/request/items/0/prior", {"count": 1, "last": now - 604799})) == {"too_soon"}
	kept(replaced("/request/items/0/prior", {"count": 1, "last": now - 604800})) == set()
}

test_once_is_once if {
	once := [
		{"op": "replace", "path": "/request/items/0/frequency", "value": "once"},
		{"op": "replace", "path": "/request/items/0/interval_days", "value": null},
		{"op": "replace", "path": "/consent/items/0/frequency", "value": "once"},
	]
	sent := array.concat(once, replaced("/request/items/0/prior", {"count": 1, "last": 5}))
	kept(once) == set()
	kept(sent) == {"already_sent"}
}

test_the_cycle_is_the_consented_one if {
	kept(replaced("/consent/items/0/frequency", "P28D")) == {"frequency_not_consented"}
	kept(replaced("/consent/items/0/frequency", "once")) == {"frequency_not_consented"}
}

test_cycle_and_days_agree if kept(replaced("/request/items/0/interval_days", 1)) == {"frequency_unknown"}

test_no_cycle_below_a_week if {
	daily := [
		{"op": "replace", "path": "/request/items/0/frequency", "value": "P1D"},
		{"op": "replace", "path": "/request/items/0/interval_days", "value": 1},
		{"op": "replace", "path": "/consent/items/0/frequency", "value": "P1D"},
	]
	kept(daily) == {"frequency_too_high"}
}

telecom := [
	{"op": "replace", "path": "/request/items/0/sector", "value": "telecom"},
	{"op": "replace", "path": "/request/items/0/dataset", "value": "telecom.bills"},
	{"op": "replace", "path": "/consent/items/0/dataset", "value": "telecom.bills"},
	{"op": "replace", "path": "/consortium/sectors", "value": ["telecom"]},
]

test_a_cycle_never_towards_a_general_recipient if {
	general := array.concat(telecom, [{"op": "add", "path": "/client/kinds/telecom", "value": "general"}])
	specialised := array.concat(telecom, [{"op": "add", "path": "/client/kinds/telecom", "value": "specialised"}])
	kept(general) == {"periodic_to_general_recipient"}
	kept(specialised) == set()
}

test_once_has_no_days if {
	transfer.frequency_known({"frequency": "once", "interval_days": null})
	not transfer.frequency_known({"frequency": "once", "interval_days": 0})
}

test_once_is_never_due_again if {
	not transfer.first_or_due({"prior": {"count": 1, "last": 0}}, {"frequency": "once"}) with input as question
}

test_periodic_is_what_is_asked_or_asked_again_on_a_cycle if {
	transfer.periodic({"frequency": "P7D", "prior": {"count": 0}}, {"frequency": "P7D"})
	transfer.periodic({"frequency": "P7D", "prior": {"count": 1}}, {"frequency": "P7D"})
	transfer.periodic({"frequency": "once", "prior": {"count": 1}}, {"frequency": "P7D"})
	not transfer.periodic({"frequency": "once", "prior": {"count": 0}}, {"frequency": "P7D"})
	not transfer.periodic({"frequency": "once", "prior": {"count": 1}}, {"frequency": "once"})
}
