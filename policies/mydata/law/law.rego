# METADATA
# title: What the law says on a day
# description: Pure lookups in the reference data. No rule here reads the input.
package mydata.law

import data.mydata.reference
import future.keywords.not

# METADATA
# description: The row in force for a sector at a moment; undefined before the first row takes effect.
basis(sector, at) := row if {
	rows := [r | some r in reference.sectors[sector].basis; r.effective_from <= at]
	latest := max([r.effective_from | some r in rows])
	some row in rows
	row.effective_from == latest
}

# METADATA
# description: The duty in force to hand a sector's data to the citizen; undefined before it takes effect.
own(sector, at) := row if {
	rows := [r | some r in reference.self_download[sector]; r.effective_from <= at]
	latest := max([r.effective_from | some r in rows])
	some row in rows
	row.effective_from == latest
}

# METADATA
# description: The value of a dated limit at a moment.
limit(name, at) := row.value if {
	rows := [r | some r in reference.limits[name]; r.effective_from <= at]
	latest := max([r.effective_from | some r in rows])
	some row in rows
	row.effective_from == latest
}

# The article a reason code rests on; null for a rule of the gateway itself or an unknown code.
article(code) := found if {
	found := reference.codes[code].article
} else := null

# Days between two transfers of a frequency such as P7D; 0 for once.
cycle_days("once") := 0

cycle_days(frequency) := days if {
	startswith(frequency, "P")
	endswith(frequency, "D")
	days := to_number(substring(frequency, 1, count(frequency) - 2))
}

# METADATA
# description: The earliest moment a consent given at a start may reach back to in a sector.
earliest(sector, start) := start - (reference.sectors[sector].history_days * 86400)
