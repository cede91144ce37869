"""What counts as an organization, and what must never count as Microsoft's."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from azdo_pat.errors import UsageError
from azdo_pat.models import Organization
from azdo_pat.organizations import api_root, hosted, hosted_name, of_remotes, organization

CONTOSO = Organization(name="contoso", url="https://dev.azure.com/contoso")
EMULATOR = "http://127.0.0.1:8123"
FORMS = (
    "use its name, https://dev.azure.com/NAME, https://NAME.visualstudio.com,"
    " or https://SERVER/COLLECTION for Azure DevOps Server"
)
BARE_ROOT = "use the root alone, such as https://host"
PROTECTED = "use https, or http for this machine only: the access token is sent to this address"

NAMES = st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9-]{0,48}[A-Za-z0-9])?", fullmatch=True)
SPELLINGS = (
    "{}",
    " {}\n",
    "https://dev.azure.com/{}",
    "https://dev.azure.com/{}/",
    "dev.azure.com/{}",
    "DEV.Azure.com/{}/project",
    "HTTPS://Dev.Azure.Com/{}/project/_git/repo",
    "https://dev.azure.com:443/{}",
    "https://user@dev.azure.com/{}/project/_git/repo",
    "https://dev.azure.com//{}?path=/a#b",
    "https://{}.visualstudio.com",
    "https://{}.visualstudio.com/",
    "https://{}.VisualStudio.com/DefaultCollection/project/_git/repo",
)
LOOK_ALIKES = (
    "dev.azure.com.evil",
    "dev.azure.com.evil.example",
    "evildev.azure.com",
    "dev-azure.com",
    "dev.azure.co",
    "vdev.azure.com",
    "xvisualstudio.com",
    "contoso.visualstudio.com.evil",
    "contoso.visualstudio.community",
    "127.0.0.1",
)
# These reach Microsoft, or pretend to, in a spelling that nothing good uses.
TRICKS = (
    "https://a.b.visualstudio.com/contoso",
    "https://.visualstudio.com/contoso",
    "https://visualstudio.com/contoso",
    "https://-.visualstudio.com/contoso",
    "https://x.dev.azure.com/contoso",
    "https://dev.azure.com./contoso",
    "https://contoso.visualstudio.com./",
    "https://dev.azure.com:8443/contoso",
    "https://dev.azure.com:80/contoso",
    "https://dev.azure.com:99999/contoso",
    "https://dev.azure.com:port/contoso",
    "https://dev%2eazure%2ecom/contoso",
    "https://dev.azure.com%2fevil/contoso",
    "https://dev.azure.com%00.evil/contoso",
    "https://dev\u3002azure\u3002com/contoso",
    "https://dev\uff0eazure\uff0ecom/contoso",
    "https://\uff44ev.azure.com/contoso",
    "https://dev.azur\u0435.com/contoso",
    "https://dev.azure.com\uff0f@evil/contoso",
    "https://evil\\.visualstudio.com/contoso",
    "https://dev.azure.com\\evil/contoso",
    "https:\\\\dev.azure.com\\contoso",
    "https:///dev.azure.com/contoso",
    "https:/dev.azure.com/contoso",
    "http://dev.azure.com/contoso",
    "http://contoso.visualstudio.com",
    "ftp://dev.azure.com/contoso",
    "//dev.azure.com/contoso",
    "https://dev.azure.com",
    "https://dev.azure.com/",
    "https://dev.azure.com/?contoso",
    "https://dev.azure.com/-contoso",
    "https://dev.azure.com/con.toso",
    "https://dev.azure.com/%2e%2e",
    "https://dev.azure.com/a%2fb",
    "https://dev.azure.com/\u0441ontoso",
    "https://[dev.azure.com]/contoso",
    "https://[::1/contoso",
    "evil.example/dev.azure.com/contoso",
)


def refusal(text: str, root: str | None = None) -> UsageError:
    with pytest.raises(UsageError) as caught:
        organization(text, root=root)
    return caught.value


class TestHosted:
    """Organizations of Azure DevOps Services."""

    @pytest.mark.parametrize("spelling", SPELLINGS)
    def test_all_spellings_are_the_same(self, spelling: str) -> None:
        assert organization(spelling.format("Contoso")) == CONTOSO

    @given(NAMES, st.sampled_from(SPELLINGS))
    def test_whatever_the_name(self, name: str, spelling: str) -> None:
        url = f"https://dev.azure.com/{name.lower()}"
        expected = Organization(name=name.lower(), url=url)
        assert organization(spelling.format(name)) == expected

    @given(NAMES)
    def test_below_another_root_also_its_own_urls_count(self, name: str) -> None:
        expected = Organization(name=name.lower(), url=f"{EMULATOR}/{name.lower()}")
        for text in (name, f"{EMULATOR}/{name}", f"https://dev.azure.com/{name}/project"):
            assert organization(text, root=EMULATOR) == expected
        assert hosted(name, EMULATOR) == expected

    def test_a_percent_encoded_name_is_decoded(self) -> None:
        assert organization("https://dev.azure.com/%63ontoso/a%20b/_git/c") == CONTOSO

    @pytest.mark.parametrize("name", ["x" * 50, "a-b", "0", "a--b"])
    def test_names_at_the_limits(self, name: str) -> None:
        assert organization(name).name == name

    @pytest.mark.parametrize(
        "text",
        ["", " ", "x" * 51, "-a", "a-", "a_b", "a b", "a/b", "cöntoso", "contoso\x00", "..", "@"],
    )
    def test_what_is_no_name(self, text: str) -> None:
        error = refusal(text)
        if "@" not in text:
            assert error.message == f"{text.strip()!r} is not the name or URL of an organization"
            assert error.hint == FORMS


class TestLookAlikes:
    """A secret for Microsoft goes to Microsoft, and what is stored there under no other name."""

    @pytest.mark.parametrize("host", LOOK_ALIKES)
    def test_another_host_is_another_server(self, host: str) -> None:
        assert hosted_name(f"https://{host}/contoso") is None
        assert organization(f"https://{host}/contoso") == Organization(
            name="contoso", url=f"https://{host}/contoso", hosted=False
        )

    @pytest.mark.parametrize("url", TRICKS)
    def test_a_trick_is_nothing_at_all(self, url: str) -> None:
        assert hosted_name(url) is None
        refusal(url)

    @pytest.mark.parametrize(
        "url",
        [
            "https://dev.azure.com@evil/contoso",
            "https://dev.azure.com:443@evil/contoso",
            "https://dev.azure.com\\@evil/contoso",
            "https://user:hunter2@server/collection",
            "https://@server/collection",
            "https://:@server/collection",
            "https://user:hunter2@server:port/collection",
            "https://user:hunter2@[server/collection",
            "http://user:hunter2@server/collection",
            "user:hunter2@dev.azure.com/contoso",
        ],
    )
    def test_userinfo_is_refused_and_not_repeated(self, url: str) -> None:
        assert hosted_name(url) is None
        error = refusal(url)
        assert error.message == "an organization's URL must not carry a user or a password"
        assert error.hint == "leave out the part before the @"

    @pytest.mark.parametrize(
        "url",
        [
            "https://user:hunter2@dev.azure.com/contoso",
            "https://:hunter2@dev.azure.com/contoso/project",
            "https://user:@dev.azure.com/contoso",
            "https://user:hunter2@contoso.visualstudio.com",
        ],
    )
    def test_a_password_is_refused_but_in_a_git_remote(self, url: str) -> None:
        error = refusal(url)
        assert error.message == "an organization's URL must not carry a user or a password"
        assert of_remotes([url]) == CONTOSO

    @given(
        st.text(alphabet="dev.azurcomisltx%2e\\/@:#?。．-", max_size=30),  # noqa: RUF001  # wide dots on purpose
        st.sampled_from(["dev.azure.com", "contoso.visualstudio.com"]),
        st.booleans(),
    )
    @example("evil@", "dev.azure.com", False)  # noqa: FBT003  # hypothesis takes them by place
    def test_only_the_exact_host_is_microsofts(self, noise: str, host: str, before: bool) -> None:  # noqa: FBT001  # hypothesis passes it
        text = f"https://{noise}{host}/contoso" if before else f"https://{host}{noise}/contoso"
        name = hosted_name(text)
        if name is None:
            return
        authority = text.removeprefix("https://").partition("/")[0].partition("?")[0]
        real = authority.partition("#")[0].rpartition("@")[2].removesuffix(":").removesuffix(":443")
        labels = real.lower().split(".")
        assert labels == ["dev", "azure", "com"] or (
            labels[1:] == ["visualstudio", "com"] and labels[0] == name.lower()
        )

    @pytest.mark.parametrize(
        "url",
        [
            "http://127.0.0.1:81234/contoso",
            "http://127.0.0.1:8123.evil/contoso",
            "http://127.0.0.1:8123@evil/contoso",
            "http://127.0.0.1:812/contoso",
            "http://127.0.0.1:8123",
            "http://127.0.0.1:8123/",
        ],
    )
    def test_a_look_alike_of_the_root(self, url: str) -> None:
        assert hosted_name(url, EMULATOR) is None


class TestServer:
    """Collections of Azure DevOps Server."""

    @pytest.mark.parametrize(
        ("text", "name", "url"),
        [
            ("https://tfs/DefaultCollection", "defaultcollection", "https://tfs/DefaultCollection"),
            ("https://TFS.Corp.Example/tfs/A/", "a", "https://tfs.corp.example/tfs/A"),
            ("https://tfs:8443//tfs//A//", "a", "https://tfs:8443/tfs/A"),
            ("http://localhost:8080/A", "a", "http://localhost:8080/A"),
            ("http://127.0.0.1/A", "a", "http://127.0.0.1/A"),
            ("http://[::1]:8080/A", "a", "http://[::1]:8080/A"),
            ("https://10.0.0.7/A", "a", "https://10.0.0.7/A"),
            ("https://xn--bcher-kva.example/A", "a", "https://xn--bcher-kva.example/A"),
            ("https://tfs/a%20b", "a%20b", "https://tfs/a%20b"),
        ],
    )
    def test_urls(self, text: str, name: str, url: str) -> None:
        assert organization(text) == Organization(name=name, url=url, hosted=False)

    @pytest.mark.parametrize("scheme", ["http", "ftp", "ws"])
    def test_in_the_clear(self, scheme: str) -> None:
        error = refusal(f"{scheme}://tfs.example:8080/tfs/A")
        assert error.message == (
            f"the URL of tfs.example begins with {scheme}: the secret would be sent unencrypted"
        )
        assert error.hint == "use https://tfs.example:8080/tfs/A"

    @pytest.mark.parametrize(
        "text",
        [
            "https://tfs",
            "https://tfs/",
            "https://tfs/A?x=1",
            "https://tfs/A#x",
            "https://tfs/..",
            "https://tfs/./A",
            "https://tfs/../A",
            "https://t fs/A",
            "https://tfs/A\x1b[31m",
            "https://tfs/A\nB",
            "https://t%66s/A",
            "https://tfs:port/A",
            "https://tfs:99999/A",
            "https://",
            "://",
            "tfs/A",
            "file:///etc/passwd",
        ],
    )
    def test_what_is_no_collection(self, text: str) -> None:
        error = refusal(text)
        assert error.message == f"{text!r} is not the name or URL of an organization"
        assert error.message.isprintable()
        assert error.hint == FORMS


class TestAnyText:
    """Whatever is typed: an organization or a usage error."""

    @given(
        st.text()
        | st.text(max_size=20).map("https://{}".format)
        | st.text(alphabet="htps:/@.[]%\\?#devazurcom0", max_size=40),
        st.none() | st.just(EMULATOR),
    )
    @example("https://[", None)
    @example("https://\u2100/x", None)
    @example("https://dev.azure.com:x/y", None)
    def test_organization(self, text: str, root: str | None) -> None:
        try:
            found = organization(text, root=root)
        except UsageError as error:
            assert error.message.isprintable()  # noqa: PT017  # both ends are fine, and looked at
        else:
            assert organization(found.url, root=root) == found

    @given(st.text() | st.text(alphabet="htps:/@.[]%\\?#devazurcom0", max_size=40))
    @example("https://[")
    @example("https://\u2100/x")
    def test_remotes(self, text: str) -> None:
        found = of_remotes([text])
        assert found is None or found == hosted(found.name)

    @given(st.text() | st.text(max_size=20).map("https://{}".format))
    @example("https://host:x")
    def test_root(self, text: str) -> None:
        try:
            root = api_root(text)
        except UsageError as error:
            assert error.hint  # noqa: PT017  # both ends are fine, and each is looked at
        else:
            assert api_root(root) == root


class TestRemotes:
    """The git remotes that Azure DevOps hosts."""

    @pytest.mark.parametrize(
        "url",
        [
            "https://dev.azure.com/contoso/project/_git/repo",
            "https://contoso@dev.azure.com/contoso/project/_git/repo",
            "https://user:secret@dev.azure.com/Contoso/_git/repo",
            "https://contoso.visualstudio.com/project/_git/repo",
            "https://contoso.visualstudio.com/DefaultCollection/project/_git/repo",
            "git@ssh.dev.azure.com:v3/contoso/project/repo",
            "ssh.dev.azure.com:v3/contoso/project/repo",
            "ssh://git@ssh.dev.azure.com/v3/contoso/project/repo",
            "ssh://git@ssh.dev.azure.com:22/v3/contoso/project/repo",
            "contoso@vs-ssh.visualstudio.com:v3/contoso/project/repo",
            "fabrikam@vs-ssh.visualstudio.com:v3/Contoso/a%20b/repo",
            "ssh://contoso@vs-ssh.visualstudio.com/v3/contoso/project/repo",
            "ssh://contoso@vs-ssh.visualstudio.com:22/v3/contoso/project/repo",
            "ssh://contoso@contoso.visualstudio.com:22/project/_git/repo",
        ],
    )
    def test_forms_old_and_new(self, url: str) -> None:
        assert of_remotes([url]) == CONTOSO

    @pytest.mark.parametrize(
        "url",
        [
            "",
            ".",
            "../contoso",
            "/srv/git/repo.git",
            "C:\\contoso\\repo",
            "file:///srv/git/contoso",
            "https://github.com/contoso/repo",
            "git@github.com:contoso/repo.git",
            "git@ssh.dev.azure.com.evil:v3/contoso/project/repo",
            "git@evil:ssh.dev.azure.com:v3/contoso",
            "git@ssh.dev.azure.com:v2/contoso/project/repo",
            "git@ssh.dev.azure.com:contoso/project/repo",
            "git@ssh.dev.azure.com:v3",
            "git@ssh.dev.azure.com:v3/",
            "git@ssh.dev.azure.com:/v3/contoso",
            "git@ssh.dev.azure.com:v3/../contoso",
            "ssh://git@evil@ssh.dev.azure.com.evil/v3/contoso/project/repo",
            "ssh://git@vs-ssh.visualstudio.com/contoso",
            "https://vs-ssh.visualstudio.com/contoso",
            "http://dev.azure.com/contoso/_git/repo",
            "https://dev.azure.com.evil/contoso/_git/repo",
            "https://tfs.example/tfs/Collection/_git/repo",
            "https://[/contoso",
            "ssh://[/v3/contoso",
            "https://dev.azure.com:x/contoso",
        ],
    )
    def test_others_say_nothing(self, url: str) -> None:
        assert of_remotes([url]) is None

    def test_the_first_that_says_something_counts(self) -> None:
        urls = [
            "https://[",
            "git@github.com:a/b.git",
            "git@ssh.dev.azure.com:v3/contoso/p/r",
            "https://dev.azure.com/fabrikam/p/_git/r",
        ]
        assert of_remotes(urls) == CONTOSO
        assert of_remotes(urls[:2]) is None
        assert of_remotes([]) is None

    def test_below_another_root(self) -> None:
        expected = Organization(name="contoso", url=f"{EMULATOR}/contoso")
        for url in (f"{EMULATOR}/contoso/p/_git/r", "git@ssh.dev.azure.com:v3/contoso/p/r"):
            assert of_remotes([url], root=EMULATOR) == expected


class TestRoot:
    """`PAT_API_URL`: the place that is sent the access token."""

    @pytest.mark.parametrize(
        ("text", "root"),
        [
            ("https://proxy.example", "https://proxy.example"),
            ("https://proxy.example:8443/azure/", "https://proxy.example:8443/azure"),
            ("http://127.0.0.1:8123/", "http://127.0.0.1:8123"),
            ("http://localhost:1", "http://localhost:1"),
            ("http://[::1]:1//", "http://[::1]:1"),
        ],
    )
    def test_allowed(self, text: str, root: str) -> None:
        assert api_root(text) == root

    @pytest.mark.parametrize(
        "text",
        [
            "http://proxy.example",
            "http://127.0.0.1.evil",
            "http://0.0.0.0",
            "http://localhost.evil",
            "ftp://localhost",
            "proxy.example",
            "https://",
            "",
        ],
    )
    def test_in_the_clear_or_no_host(self, text: str) -> None:
        with pytest.raises(UsageError) as caught:
            api_root(text)
        assert caught.value.message == f"PAT_API_URL {text!r} is not allowed"
        assert caught.value.hint == PROTECTED

    @pytest.mark.parametrize(
        "text",
        [
            "https://user:hunter2@proxy.example",
            "http://user:hunter2@proxy.example",
            "https://@proxy.example",
            "https://proxy.example?x",
            "https://proxy.example#x",
        ],
    )
    def test_more_than_a_root(self, text: str) -> None:
        with pytest.raises(UsageError) as caught:
            api_root(text)
        assert caught.value.message == "PAT_API_URL contains more than the root of proxy.example"
        assert caught.value.hint == BARE_ROOT

    @pytest.mark.parametrize(
        "text", ["https://[", "https://host:x", "https://host:99999", "https://h\n"]
    )
    def test_no_url(self, text: str) -> None:
        with pytest.raises(UsageError) as caught:
            api_root(text)
        assert caught.value.message == "PAT_API_URL is not a valid URL"
        assert caught.value.hint == BARE_ROOT
