"""The web app in a real browser on a real chain, with an injected EIP-6963 wallet whose dialogs the test answers."""

import pytest

pytest.register_assert_rewrite("browser.visitor")
