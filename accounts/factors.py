"""Second factors in django-allauth: what they rest on is never stored in clear."""

from allauth.mfa.adapter import DefaultMFAAdapter

from accounts.services import factors


class FactorAdapter(DefaultMFAAdapter):
    def encrypt(self, text: str) -> str:
        return factors.seal(text)

    def decrypt(self, encrypted_text: str) -> str:
        return factors.unseal(encrypted_text)
