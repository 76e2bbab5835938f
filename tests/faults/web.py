"""Web processes on machines of a test's own, and a person who goes from one to the other."""

import re
import subprocess
import sys
from http import HTTPStatus
from http.cookiejar import CookieJar
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, build_opener, urlopen

from devstack.places import ROOT

from .machines import Machine
from .servers import eventually

PORT = 8000
NAME = "portal.example"
TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="(\w+)"')


class Web:
    """gunicorn as docs/deploy.md starts it, for the machine itself and for the proxy in front."""

    def __init__(self, machine: Machine, env: dict[str, str]) -> None:
        self._machine = machine
        self.address = f"http://{machine.there}:{PORT}"
        self._env = env | {
            "REVAMPD_BASE_URL": f"http://{NAME}",
            "REVAMPD_ALLOWED_HOSTS": f"{NAME},{machine.there}",
            "WEB_CONCURRENCY": "1",
        }
        self._env.pop("REVAMPD_WORKER_READY_FILE", None)
        binds = [f"--bind={machine.there}:{PORT}", f"--bind=127.0.0.1:{PORT}"]
        self._process = subprocess.Popen(
            [*machine.prefix, sys.executable, "-m", "gunicorn", "revampd.wsgi", *binds],
            cwd=ROOT,
            env=self._env,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def is_ready(self) -> bool:
        """What a proxy is told by /readyz."""
        try:
            with urlopen(f"{self.address}/readyz", timeout=5) as answer:  # noqa: S310
                return bool(answer.status == HTTPStatus.OK)
        except (URLError, OSError):
            return False

    def says(self) -> str:
        """What /readyz answers on the machine itself, asked as docs/deploy.md asks."""
        command = ["manage.py", "answers", f"http://127.0.0.1:{PORT}/readyz"]
        asked = subprocess.run(
            [*self._machine.prefix, sys.executable, *command],
            cwd=ROOT,
            env=self._env,
            check=False,
            capture_output=True,
            text=True,
        )
        return asked.stdout + asked.stderr

    def until_ready(self) -> None:
        eventually(self.is_ready, 120)

    def close(self) -> None:
        self._process.terminate()
        self._process.wait()


class Visitor:
    """A browser without a screen. Cookies are the site's, whichever of its machines answers."""

    def __init__(self) -> None:
        self._jar = CookieJar()
        self._browser = build_opener(HTTPCookieProcessor(self._jar))

    def sign_in(self, web: Web, email: str, password: str) -> str:
        """The page that comes after it."""
        [token] = set(TOKEN.findall(self.open(web, "/accounts/login/")))
        typed = {"csrfmiddlewaretoken": token, "login": email, "password": password}
        return self.open(web, "/accounts/login/", urlencode(typed).encode())

    def open(self, web: Web, page: str, sent: bytes | None = None) -> str:
        """A page of one machine, with what another one has set: a proxy hides which it was."""
        for cookie in self._jar:
            cookie.domain = web.address.split("/")[2].split(":")[0]
        kept = list(self._jar)
        self._jar.clear()
        for cookie in kept:
            self._jar.set_cookie(cookie)
        with self._browser.open(web.address + page, sent, timeout=30) as answer:
            text: str = answer.read().decode()
            return text
