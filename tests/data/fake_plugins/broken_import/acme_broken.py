"""A door that cannot be imported."""

import acme_native_part_that_is_not_there
