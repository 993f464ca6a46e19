package mydata.law_test

import data.mydata.law
import data.mydata.reference
import future.keywords.not

# 2026-08-20 00:00 +09:00
energy_begins := 1787151600

test_a_basis_begins_on_its_day if {
	not law.basis("energy", energy_begins - 1)
	law.basis("energy", energy_begins).basis == "portability"
}

test_retail_is_consent_and_contract_never_portability if {
	every row in reference.sectors.retail.basis {
		row.basis == "consent"
		row.needs == ["contract"]
	}
}

test_a_later_row_replaces_an_earlier_one if {
	rows := [{"basis": "consent", "effective_from": 10}, {"basis": "portability", "effective_from": 20}]
	law.basis("x", 19).basis == "consent" with data.mydata.reference.sectors.x.basis as rows
	law.basis("x", 20).basis == "portability" with data.mydata.reference.sectors.x.basis as rows
}

test_a_later_duty_replaces_an_earlier_one if {
	rows := [{"article": "first", "effective_from": 10}, {"article": "second", "effective_from": 20}]
	not law.own("x", 9) with data.mydata.reference.self_download.x as rows
	law.own("x", 19).article == "first" with data.mydata.reference.self_download.x as rows
	law.own("x", 20).article == "second" with data.mydata.reference.self_download.x as rows
}

test_an_unknown_sector_has_no_basis if not law.basis("weather", energy_begins)

test_a_limit_follows_its_dates if {
	rows := [{"value": 14, "effective_from": 10}, {"value": 16, "effective_from": 20}]
	not law.limit("age", 9) with data.mydata.reference.limits.age as rows
	law.limit("age", 19) == 14 with data.mydata.reference.limits.age as rows
	law.limit("age", 20) == 16 with data.mydata.reference.limits.age as rows
}

test_an_article_or_none if {
	law.article("periodic_to_general_recipient") == "PIPA Enforcement Decree 42-5(3)"
	law.article("no_consortium") == null
	law.article("no_such_code") == null
}

test_a_cycle_in_days if {
	law.cycle_days("once") == 0
	law.cycle_days("P7D") == 7
	law.cycle_days("P365D") == 365
	not law.cycle_days("7")
	not law.cycle_days("P7W")
	not law.cycle_days("X7D")
}

test_how_far_back if law.earliest("telecom", 1795305600) == 1795305600 - (366 * 86400)
