package mydata.transfer_test

import future.keywords.not

test_only_an_active_client if {
	codes(replaced("/client/status", "suspended")) == {"client_suspended"}
	codes(replaced("/client/status", "")) == {"client_suspended"}
}

test_only_at_home_or_where_the_citizen_said if {
	abroad := replaced("/client/country", "JP")
	codes(abroad) == {"cross_border"}
	codes(array.concat(abroad, [{"op": "add", "path": "/consent/countries", "value": ["JP"]}])) == set()
	codes(array.concat(abroad, [{"op": "add", "path": "/consent/countries", "value": ["US"]}])) == {"cross_border"}
}

test_only_an_entitled_recipient if {
	kept(replaced("/client/kinds", {})) == {"recipient_not_entitled"}
	kept(replaced("/client/kinds/finance", "general")) == {"recipient_not_entitled"}
}

medical := [
	{"op": "replace", "path": "/request/items/0/sector", "value": "medical"},
	{"op": "replace", "path": "/request/items/0/dataset", "value": "medical.observations"},
	{"op": "replace", "path": "/consent/items/0/dataset", "value": "medical.observations"},
	{"op": "replace", "path": "/consortium/sectors", "value": ["medical"]},
]

test_health_data_to_special_institutions_only if {
	special := array.concat(medical, [{"op": "add", "path": "/client/kinds/medical", "value": "special"}])
	specialised := array.concat(medical, [{"op": "add", "path": "/client/kinds/medical", "value": "specialised"}])
	kept(special) == set()
	kept(specialised) == {"medical_recipient"}
	kept(medical) == {"medical_recipient"}
}

test_a_statutory_transfer_needs_a_designated_intermediary if {
	special := array.concat(medical, [{"op": "add", "path": "/client/kinds/medical", "value": "special"}])
	processor := array.concat(special, replaced("/operator/role", "processor"))
	kept(processor) == {"intermediary_required"}
	kept(replaced("/operator/role", "processor")) == set()
}
