package mydata.transfer_test

import future.keywords.not

test_no_consortium_no_transfer if "no_consortium" in codes(replaced("/consortium", null))

test_only_named_recipients_and_purposes if {
	codes(replaced("/consortium/recipients", ["another"])) == {"recipient_outside_consortium"}
	codes(replaced("/consortium/purposes", [])) == {"purpose_outside_consortium"}
}

test_only_while_the_contract_is_in_force if {
	codes(replaced("/consortium/start", now)) == set()
	codes(replaced("/consortium/start", now + 1)) == {"consortium_not_in_force"}
	codes(replaced("/consortium/end", now + 1)) == set()
	codes(replaced("/consortium/end", now)) == {"consortium_not_in_force"}
}

test_only_named_holders_and_sectors if {
	kept(replaced("/consortium/holders", ["another"])) == {"outside_consortium"}
	kept(replaced("/consortium/sectors", ["telecom"])) == {"outside_consortium"}
}
