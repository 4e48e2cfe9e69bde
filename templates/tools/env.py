"""Write .env from .env.example with new random secrets. An existing .env is not changed."""

import secrets
from base64 import b64encode
from pathlib import Path

ROOT = Path(__file__).parent.parent


def main() -> None:
    target = ROOT / ".env"
    if target.exists():
        print(".env exists, not changed")
        return
    sample = (ROOT / ".env.example").read_text(encoding="utf-8")
    fresh = {
        "SECRET_KEY": secrets.token_urlsafe(48),
        "WEBHOOK_SECRETS": f"whsec_{b64encode(secrets.token_bytes(32)).decode()}",
        "SEED_PASSWORD": secrets.token_urlsafe(16),
    }
    text = sample
    for name, secret in fresh.items():
        text = text.replace(f"{name}=change-me", f"{name}={secret}")
    target.touch(mode=0o600)
    target.write_text(text, encoding="utf-8")
    print(".env written, with new secrets")


if __name__ == "__main__":
    main()
