//! Daily, weekly and monthly checks, ticked by what was verified or by a person.
