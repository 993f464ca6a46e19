package mydata.transfer_test

import future.keywords.not

test_only_what_was_consented if {
	kept(replaced("/consent/items/0/holder", "another")) == {"not_in_consent"}
	kept(replaced("/consent/items/0/dataset", "finance.other")) == {"not_in_consent"}
}

test_fields_without_consent_are_left_out_and_named if {
	answer := decided(replaced("/consent/items/0/fields", ["trans_amt"]))
	answer.allow
	answer.granted[0].fields == ["trans_amt"]
	answer.withheld[0].params == {"fields": ["trans_memo"]}
}

test_no_field_left_no_item if {
	answer := decided(replaced("/consent/items/0/fields", ["other"]))
	answer.allow == false
	answer.withheld[0].code == "field_not_consented"
}

test_twice_is_refused_on_either_side if {
	item := question.request.items[0]
	given := question.consent.items[0]
	kept([{"op": "add", "path": "/request/items/-", "value": item}]) == {"duplicate_item"}
	kept([{"op": "add", "path": "/consent/items/-", "value": given}]) == {"consent_ambiguous"}
}

test_the_sector_is_that_of_the_dataset if "sector_mismatch" in kept(replaced("/request/items/0/sector", "retail"))

test_each_grant_carries_its_basis if {
	grant := decided([]).granted[0]
	grant.basis == "portability"
	grant.article == data.mydata.reference.sectors.finance.basis[0].article
}
