# How often, and is it time yet.
package mydata.transfer

import data.mydata.law
import future.keywords.not

# An item is periodic when it is asked on a cycle, or asked again one by one under a consented cycle.
periodic(item, _) if item.frequency != "once"

periodic(item, consented) if {
	consented.frequency != "once"
	item.prior.count > 0
}

frequency_known(item) if {
	item.frequency == "once"
	item.interval_days == null
}

frequency_known(item) if {
	item.frequency != "once"
	law.cycle_days(item.frequency) == item.interval_days
}

frequency_covered(item, _) if item.frequency == "once"

frequency_covered(item, consented) if item.frequency == consented.frequency

shortest_cycle := law.limit("shortest_cycle_days", input.request.time)

# Often enough apart for the law, whichever cycle was consented.
cycle_allowed(consented) if consented.frequency == "once"

cycle_allowed(consented) if {
	law.cycle_days(consented.frequency) >= shortest_cycle
}

first_or_due(item, _) if item.prior.count == 0

first_or_due(item, consented) if {
	consented.frequency != "once"
	input.request.time >= next_due(item, consented)
}

next_due(item, consented) := due if {
	is_number(item.prior.last)
	due := item.prior.last + (law.cycle_days(consented.frequency) * 86400)
}

periodic_allowed(item, consented) if not periodic(item, consented)

periodic_allowed(item, _) if kind(item.sector) in legal[item.sector].periodic

frequency_allowed(item, consented) if {
	frequency_known(item)
	frequency_covered(item, consented)
	cycle_allowed(consented)
	first_or_due(item, consented)
	periodic_allowed(item, consented)
}

refusal contains refused(item, "frequency_unknown", {"frequency": item.frequency}) if {
	some item in input.request.items
	not frequency_known(item)
}

refusal contains refused(pair.item, "frequency_not_consented", {"frequency": consented.frequency}) if {
	some pair in pairs
	some consented in pair.consented
	not frequency_covered(pair.item, consented)
}

refusal contains refused(pair.item, "frequency_too_high", {"days": shortest_cycle}) if {
	some pair in pairs
	some consented in pair.consented
	law.cycle_days(consented.frequency) < shortest_cycle
	consented.frequency != "once"
}

refusal contains refused(pair.item, "already_sent", {"last": pair.item.prior.last}) if {
	some pair in pairs
	some consented in pair.consented
	consented.frequency == "once"
	pair.item.prior.count > 0
}

refusal contains refused(pair.item, "too_soon", {"next": next}) if {
	some pair in pairs
	some consented in pair.consented
	consented.frequency != "once"
	pair.item.prior.count > 0
	next := next_due(pair.item, consented)
	input.request.time < next
}

# Decree 42-5(3)5 and (5): a cycle may be asked for only towards 일반전문기관 and 특수전문기관.
refusal contains refused(pair.item, "periodic_to_general_recipient", {"kind": kind(pair.item.sector)}) if {
	some pair in pairs
	some consented in pair.consented
	periodic(pair.item, consented)
	row := legal[pair.item.sector]
	kind(pair.item.sector) in row.recipients
	not kind(pair.item.sector) in row.periodic
}
