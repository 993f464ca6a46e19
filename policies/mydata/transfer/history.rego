# How far back.
package mydata.transfer

import data.mydata.law
import future.keywords.not

# The later of what was consented and what the sector may ever reach back to.
allowed_from(item, consented) := max([consented.history_from, law.earliest(item.sector, input.consent.start)])

history_allowed(item, consented) if item.history_from >= allowed_from(item, consented)

refusal contains refused(pair.item, "history_too_old", {"from": earliest}) if {
	some pair in pairs
	some consented in pair.consented
	earliest := allowed_from(pair.item, consented)
	pair.item.history_from < earliest
}
