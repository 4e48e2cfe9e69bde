"""Write .env from .env.example with new random secrets. An existing .env is not changed."""

import secrets
from base64 import b64encode
from pathlib import Path

TARGET = Path(__file__).parent.parent / ".env"


def main() -> None:
    if TARGET.exists():
        print(".env exists, not changed")
        return
    text = TARGET.with_name(".env.example").read_text(encoding="utf-8")
    for name, secret in {
        "SECRET_KEY": secrets.token_urlsafe(48),
        "WEBHOOK_SECRETS": f"whsec_{b64encode(secrets.token_bytes(32)).decode()}",
        "SEED_PASSWORD": secrets.token_urlsafe(16),
    }.items():
        text = text.replace(f"{name}=change-me", f"{name}={secret}")
    TARGET.touch(mode=0o600)
    TARGET.write_text(text, encoding="utf-8")
    print(".env written, with new secrets")


if __name__ == "__main__":
    main()
