package mydata.transfer_test

import future.keywords.not

test_another_operation_is_unknown if codes(replaced("/request/operation", "delete")) == {"operation_unknown"}

test_count_and_moment_of_what_went_before_belong_together if {
	codes(replaced("/request/items/0/prior", {"count": 1, "last": null})) == {"input_incomplete"}
	codes(replaced("/request/items/0/prior", {"count": 0, "last": 5})) == {"input_incomplete"}
	codes(replaced("/request/items/0/prior", {"count": 1, "last": 5})) == set()
}
