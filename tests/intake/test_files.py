"""Archives and folders: read in memory, hostile ones refused, junk left out."""

import stat
import zipfile
from pathlib import Path

import pytest

from pruning.errors import DataFileError
from pruning.intake import limits
from pruning.intake.files import File, FolderFiles, open_files
from tests.intake.make_files import zip_of


def names(path: Path) -> list[str]:
    with open_files(path) as files:
        return [file.name for file in files.files]


def test_a_zip_and_a_folder_list_the_same_files_in_order(tmp_path: Path) -> None:
    content = {"b/2.png": b"two", "a/1.png": b"one"}
    archive = zip_of(tmp_path / "a.zip", content)
    for name, value in content.items():
        path = tmp_path / "folder" / name
        path.parent.mkdir(parents=True)
        path.write_bytes(value)
    assert names(archive) == names(tmp_path / "folder") == ["a/1.png", "b/2.png"]
    for source in (archive, tmp_path / "folder"):
        with open_files(source) as files:
            assert [files.read(file) for file in files.files] == [b"one", b"two"]


@pytest.mark.parametrize(
    ("name", "parts", "suffix"),
    [
        ("a/b/1.PNG", ("a", "b", "1.PNG"), ".png"),
        ("./a//1.tar.gz", ("a", "1.tar.gz"), ".gz"),
        ("a.b/readme", ("a.b", "readme"), ""),
        ("a/.hidden", ("a", ".hidden"), ""),
    ],
)
def test_parts_and_suffix(name: str, parts: tuple[str, ...], suffix: str) -> None:
    assert (File(name, 1).parts, File(name, 1).suffix) == (parts, suffix)


def test_what_systems_strew_about_is_left_out(tmp_path: Path) -> None:
    junk = ["__MACOSX/a/._1.png", "a/.DS_Store", "a/Thumbs.db", ".git/x", "a/desktop.ini"]
    path = zip_of(tmp_path / "a.zip", dict.fromkeys(["a/1.png", *junk], b"x"))
    assert names(path) == ["a/1.png"]


def test_archives_inside_are_left_out_with_a_note(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "a.zip", {"a/1.png": b"x", "more.zip": b"PK"})
    with open_files(path) as files:
        assert [file.name for file in files.files] == ["a/1.png"]
        assert files.notes == ("1 archives inside were left out: more.zip",)


def test_backslashes_of_windows_programs_separate_folders(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "a.zip", {"a/1.png": b"one"})
    path.write_bytes(path.read_bytes().replace(b"a/1.png", b"a\\1.png"))
    with open_files(path) as files:
        assert files.files[0].parts == ("a", "1.png")
        assert files.read(files.files[0]) == b"one"


@pytest.mark.parametrize(
    "name", ["../up.png", "/etc/passwd", "a/../../b.png", "C:/x.png", "..\\up.png"]
)
def test_paths_that_lead_out_are_refused(tmp_path: Path, name: str) -> None:
    path = zip_of(tmp_path / "a.zip", {"a/1.png": b"x", name: b"x"})
    with pytest.raises(DataFileError, match="leads out of the archive"):
        names(path)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.zip"]


def test_links_are_left_out(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "a.zip", {"a/1.png": b"x"})
    link = zipfile.ZipInfo("a/link.png")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(link, "/etc/passwd")
    with open_files(path) as files:
        assert [file.name for file in files.files] == ["a/1.png"]
        assert files.notes == ("1 symbolic links were left out.",)


def test_links_in_a_folder_are_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.png").write_bytes(b"x")
    folder = tmp_path / "data"
    (folder / "a").mkdir(parents=True)
    (folder / "a" / "1.png").write_bytes(b"x")
    (folder / "a" / "2.png").symlink_to(outside / "secret.png")
    (folder / "b").symlink_to(outside)
    with open_files(folder) as files:
        assert [file.name for file in files.files] == ["a/1.png"]
        assert files.notes == ("2 symbolic links were left out.",)


def test_a_password_is_refused(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "a.zip", {"a/1.png": b"secret"})
    content = bytearray(path.read_bytes())
    content[6] |= 1  # the encryption bit of the local header
    content[content.index(b"PK\x01\x02") + 8] |= 1  # … and of the table of contents
    path.write_bytes(content)
    with pytest.raises(DataFileError, match="protected by a password") as caught:
        names(path)
    assert "without encryption" in caught.value.fix


def test_a_zip_bomb_is_refused_before_it_is_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = zip_of(tmp_path / "a.zip", {"a/1.png": bytes(2**22)}, zipfile.ZIP_DEFLATED)
    assert path.stat().st_size < 2**13
    assert names(path) == ["a/1.png"]  # four megabytes hurt nobody
    monkeypatch.setattr(limits, "RATIO_FREE_BYTES", 2**20)
    with pytest.raises(DataFileError, match="would unpack from"):
        names(path)


def test_a_file_larger_than_a_sample_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MAX_SAMPLE_BYTES", 2**20)
    path = zip_of(tmp_path / "a.zip", {"a/1.png": bytes(2**20 + 1)})
    with open_files(path) as files, pytest.raises(DataFileError, match="At most 1 MB"):
        files.read(files.files[0])


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_the_size_that_is_checked_is_that_of_what_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MAX_SAMPLE_BYTES", 2**20)
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a/1.png", b"small")
        archive.writestr("a/1.png", bytes(2**20 + 1))
    with open_files(path) as files:
        (file,) = files.files
        with pytest.raises(DataFileError, match="At most 1 MB"):
            files.read(file)


@pytest.mark.parametrize("name", [".", "./.", "//"])
def test_a_member_without_a_name_is_left_out(tmp_path: Path, name: str) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for inside in ("a/1.png", name):
            archive.writestr(zipfile.ZipInfo(inside), b"x")
    assert names(path) == ["a/1.png"]


def test_too_many_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_ENTRIES", 3)
    path = zip_of(tmp_path / "a.zip", {f"a/{i}.png": b"x" for i in range(4)})
    with pytest.raises(DataFileError, match="4 files"):
        names(path)


@pytest.mark.parametrize("kept", [0.3, 0.6, 0.99])
def test_a_truncated_zip_is_refused(tmp_path: Path, kept: float) -> None:
    path = zip_of(tmp_path / "a.zip", {f"a/{i}.png": bytes(100) for i in range(9)})
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * kept)])
    with pytest.raises(DataFileError, match="damaged or incomplete archive"):
        names(path)


def test_a_damaged_member_is_told_by_its_checksum(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "a.zip", {"a/1.png": b"ORIGINAL"})
    path.write_bytes(path.read_bytes().replace(b"ORIGINAL", b"CHANGED!"))
    with open_files(path) as files, pytest.raises(DataFileError, match=r"a/1\.png cannot be read"):
        files.read(files.files[0])


def test_nothing_but_junk_is_refused(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "a.zip", {".DS_Store": b"x"})
    with pytest.raises(DataFileError, match="no files to use"):
        names(path)


def test_a_folders_digest_is_over_names_and_contents(tmp_path: Path) -> None:
    digests = []
    for number, (name, content) in enumerate(
        [("a/1.png", b"x"), ("a/1.png", b"x"), ("a/2.png", b"x"), ("a/1.png", b"y")]
    ):
        path = tmp_path / str(number) / name
        path.parent.mkdir(parents=True)
        path.write_bytes(content)
        digests.append(FolderFiles.scan(tmp_path / str(number)).digest())
    assert digests[0] == digests[1]
    assert len(set(digests)) == 3
