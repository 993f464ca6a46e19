# What people who are no children any more and no adults yet agree to alone.
package mydata.transfer

import data.mydata.law
import data.mydata.reference
import future.keywords.not

adult_age := law.limit("adult_age", input.request.time)

# Somebody of 14 to 18 agrees alone, or by a delegate, to what the purpose is open to at that age; to no more.
refusal contains refused(item, "not_for_youth", {"age": adult_age, "sector": item.sector}) if {
	some item in input.request.items
	not old_enough(item)
}

old_enough(_) if input.subject.age >= adult_age

old_enough(_) if acting.role == "guardian"

old_enough(item) if item.sector in reference.youth[input.consent.purpose]
