"""What all tests share: the settings of Hypothesis."""

from __future__ import annotations

import hypothesis

# Tests never time: on a busy machine a deadline fails for no fault of the code. Derandomized, a failure in CI is one at
# the desk.
hypothesis.settings.register_profile("typedprop", deadline=None, derandomize=True)
hypothesis.settings.load_profile("typedprop")
