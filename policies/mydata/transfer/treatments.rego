# What a kind of recipient gets less of than the catalogue would give.
package mydata.transfer

import data.mydata.reference
import future.keywords.not

treatments(item) := [row |
	some row in reference.treatments
	row.dataset == item.dataset
	kind(item.sector) in row.kinds
	row.effective_from <= input.request.time
]

dropped(item) := {row.field |
	some row in treatments(item)
	row.how == "drop"
}

refusal contains refused(item, "field_dropped", {"fields": gone}) if {
	some item in input.request.items
	lost := dropped(item)
	gone := sort({field | some field in item.fields; field in lost})
	count(gone) > 0
}
