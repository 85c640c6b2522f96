"""What makemessages needs and no more."""

from pathlib import Path

SECRET_KEY = "extracting texts needs none"
LOCALE_PATHS = [str(Path.cwd() / "web" / "locale")]
USE_I18N = True
