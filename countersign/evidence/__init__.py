"""Evidence for somebody who trusts nobody here: one ZIP about one work, to be checked offline.

``case`` is what it says, ``page`` the PDF, ``instructions`` the README, ``archive`` the ZIP.
"""

from countersign.evidence.archive import export
from countersign.evidence.case import Case, verifier_page

__all__ = ["Case", "export", "verifier_page"]
