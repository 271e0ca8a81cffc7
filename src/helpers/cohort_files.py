"""Cohort files of any common format as a table of text cells, with their labels."""

from __future__ import annotations

import contextlib
import csv
import datetime
import io
import math
import numbers
import re
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from pandas.api.types import union_categoricals

from helpers.errors import SHOWN_ROWS, InputError, Problem

TEXT = {".csv", ".tsv", ".tab", ".txt"}
SPREADSHEETS = {".xlsx", ".xlsm"}
STATISTICAL = {".sav", ".zsav", ".dta", ".sas7bdat", ".xpt"}
COLUMNAR = {".parquet"}
FORMATS = sorted(TEXT | SPREADSHEETS | STATISTICAL | COLUMNAR)
OLD_SPREADSHEETS = {".xls", ".xlsb", ".ods", ".numbers"}

DELIMITERS = (",", ";", "\t", "|")
MOST_BYTES = 2**31
PIECE = 1_000_000  # rows of Parquet that are read at once
LARGE_TEXT = 10_000_000  # bytes, from which on a text file is split at once where it can be
PANDAS_INDEX = r"__index_level_\d+__"
INVISIBLE = "\ufeff\u200b\u200c\u200d\u2060"
BLANK = " \t\r\n\xa0" + INVISIBLE


@dataclass(frozen=True)
class CohortFile:
    """The cells of a cohort file.

    Attributes
    ----------
    cells : DataFrame of str
        One row a patient, blanks around the text removed, dates as year-month-day. The index
        is the row as the file's own program numbers it. Columns of large files are categories
        of text.
    column_labels : dict
        What a column is called in words, where the file says so.
    value_labels : dict
        For each column with value labels, the label of each code, both as text.
    dates : set of str
        Columns that the file itself declares to be dates.
    """

    cells: pd.DataFrame
    column_labels: dict = field(default_factory=dict)
    value_labels: dict = field(default_factory=dict)
    dates: frozenset = frozenset()


def read_cohort_file(path, sheet=None, columns=None) -> CohortFile:
    """Read a cohort file as text cells.

    Parameters
    ----------
    path : path-like
        CSV and other delimited text (UTF-8, or UTF-16 with a byte order mark; separated by
        commas, semicolons, tabs or bars), Excel, Parquet, SPSS, Stata or SAS. The labels of
        a ``.sas7bdat`` are in a catalogue of formats beside it, of the same name or called
        ``formats.sas7bcat``.
    sheet : str, optional
        The sheet of a spreadsheet.
    columns : set of str, optional
        The columns that are needed. Of Parquet no others are read, if these tell of each row
        that it is one; the other formats are read as a whole.

    Raises
    ------
    InputError
        The file cannot be read as one table with one named column for each variable.
    """
    path = Path(path)
    kind = path.suffix.lower()
    try:
        if not path.is_file():
            raise InputError(path, ["there is no such file; give the path of a cohort file"])
        if path.stat().st_size > MOST_BYTES:
            raise InputError(path, ["is larger than 2 GB; give the columns that are needed"])
        if kind in OLD_SPREADSHEETS:
            raise InputError(path, [f"{kind} is not read; save it as .xlsx or 'CSV UTF-8'"])
        if kind in SPREADSHEETS:
            return _read_spreadsheet(path, sheet)
        if kind in STATISTICAL:
            return _read_statistical(path, kind)
        if kind in COLUMNAR:
            return _read_parquet(path, columns)
        if kind not in TEXT:
            known = ", ".join(FORMATS)
            raise InputError(path, [f"{kind or 'no suffix'} is not a known format ({known})"])
        return _read_text(path)
    except OSError as error:
        reason = error.strerror or "it is damaged, or not what its name says"
        raise InputError(path, [f"cannot be read: {reason}"]) from None


def as_text(value) -> str:
    """Write a cell as text: no trailing zeros, dates as year-month-day, missing as nothing."""
    if value is None or value is pd.NaT or value is pd.NA:
        return ""
    if isinstance(value, bool | str):
        return str(value).strip().strip(INVISIBLE).strip()
    if isinstance(value, numbers.Real) and math.isnan(value):
        return ""
    if isinstance(value, datetime.datetime):
        text = value.isoformat(sep=" ")
        return text.removesuffix(" 00:00:00")
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, numbers.Real) and float(value).is_integer():
        return str(int(value))
    return str(value).strip()


def _read_text(path):
    if path.stat().st_size > LARGE_TEXT and (found := _split_plain_text(path)) is not None:
        return found
    text = _decode(path)
    if "\x00" in text:
        raise InputError(path, ["is not a text file, although its name says so"])
    delimiter = _delimiter(text)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        rows = dict(enumerate(reader, 1))
    except csv.Error as error:
        hint = "a quotation mark is not closed, or stands inside a cell"
        raise InputError(path, [Problem(f"{hint} ({error})", [reader.line_num])]) from None
    return CohortFile(_table(path, rows, ragged=True))


def _split_plain_text(path):
    """A large text file in which each delimiter splits cells; None if it is not that plain."""
    import pyarrow
    from pyarrow import csv as arrow_csv

    content = path.read_bytes()
    if content[:2] in (b"\xff\xfe", b"\xfe\xff") or b'"' in content or b"\x00" in content:
        return None
    try:
        header = content[: content.index(b"\n")].decode("utf-8-sig").rstrip("\r")
        delimiter = _delimiter(header)
        names = list(map(as_text, header.split(delimiter)))
        if len(names) < 2 or "" in names or len(set(names)) < len(names):
            return None
        places = list(map(str, range(len(names))))
        words = pyarrow.dictionary(pyarrow.int32(), pyarrow.string())
        table = arrow_csv.read_csv(
            pyarrow.BufferReader(content),
            arrow_csv.ReadOptions(column_names=places, skip_rows=1),
            arrow_csv.ParseOptions(delimiter=delimiter, quote_char=False, ignore_empty_lines=False),
            arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(places, words), strings_can_be_null=False
            ),
        )
    except (ValueError, pyarrow.ArrowInvalid):
        return None
    columns = (_encode_arrow(table.column(place)) for place in places)
    return CohortFile(_from_columns(path, names, columns, first=2))


def _decode(path):
    content = path.read_bytes()
    encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        row = content.count(b"\n", 0, error.start) + 1
        problem = Problem("is not UTF-8 text; save the file as 'CSV UTF-8'", [row])
        raise InputError(path, [problem]) from None


def _delimiter(text):
    """The mark that splits the header into most cells; a comma where none does."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    counts = {mark: len(next(csv.reader([first], delimiter=mark), [])) for mark in DELIMITERS}
    return max(counts, key=counts.get)


def _table(path, rows, ragged=False):
    """Make a table of rows by number: the first with content is the header.

    Raises
    ------
    InputError
        No header, no patient, one column, columns without a name or with one name, rows of
        other lengths.
    """
    cells = {n: [as_text(cell) for cell in row] for n, row in rows.items()}
    cells = {n: row for n, row in cells.items() if any(row)}
    if not cells:
        raise InputError(path, ["is empty; a header and one row a patient are needed"])
    first, *patients = cells
    header = cells[first]
    width = max(map(len, cells.values()))
    used = max(n for row in cells.values() for n, cell in enumerate(row, 1) if cell)
    named = [name for name in header if name]
    repeated = sorted({name for name in named if named.count(name) > 1})
    problems = []
    if repeated:
        problems.append(Problem(f"columns named twice: {', '.join(repeated)}; rename one", [first]))
    if len(named) == 1 < used and patients:
        problems.append(
            Problem(
                f"one cell, {_shortened(named[0])!r}, where each column needs a name; "
                "delete what stands above the header",
                [first],
            )
        )
    elif ragged:
        size = len(header)
        uneven = [n for n in patients if len(cells[n]) < size or any(cells[n][size:])]
        problems += [
            Problem(
                f"{n_cell} cells where the header has {size}",
                [n for n in uneven if len(cells[n]) == n_cell],
            )
            for n_cell in dict.fromkeys(len(cells[n]) for n in uneven)
        ]
    table = {n: row + [""] * (width - len(row)) for n, row in cells.items()}
    header = table[first]
    keep = [i for i in range(width) if any(row[i] for row in table.values())]
    if not header[0] and len({row[0] for row in table.values()}) == len(table):
        keep.remove(0)  # row names, as R and pandas write them
    if not problems:
        unnamed = [i for i in keep if not header[i]]
        problems += [
            Problem(f"the {_ordinal(i + 1)} column has values but no name; give it one", [first])
            for i in unnamed
        ]
    if len(keep) == 1 and not problems:
        hint = "; separate the cells by commas, semicolons, tabs or bars" if ragged else ""
        name = _shortened(header[keep[0]])
        problems.append(
            Problem(f"one column, {name!r}, where each variable needs its own{hint}", [first])
        )
    if not patients and not problems:
        problems.append("has a header but no patient")
    if problems:
        raise InputError(path, problems)
    body = [[table[n][i] for i in keep] for n in patients]
    return pd.DataFrame(body, index=patients, columns=[header[i] for i in keep], dtype=object)


def _shortened(text):
    return text if len(text) <= 60 else text[:57] + "..."


def _ordinal(number):
    end = "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{end}"


def _read_spreadsheet(path, sheet):
    import warnings

    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            values = load_workbook(path, data_only=True)
            formulas = load_workbook(path)
    except (InvalidFileException, KeyError, ValueError, EOFError, TypeError, AttributeError) as e:
        raise InputError(path, [_unreadable(e)]) from None
    except Exception as error:  # zipfile and XML parsers have errors of their own
        raise InputError(path, [_unreadable(error)]) from None
    chosen = _choose_sheet(path, values, sheet)
    _refuse_merged(path, chosen)
    rows = {n: list(row) for n, row in enumerate(chosen.iter_rows(values_only=True), start=1)}
    _refuse_unsaved_formulas(path, chosen, formulas[chosen.title], rows)
    return CohortFile(_table(path, rows), dates=_date_columns(rows))


def _unreadable(error):
    return f"is damaged, encrypted, or not what its name says ({type(error).__name__})"


def _choose_sheet(path, book, name):
    sheets = {s.title: s for s in book.worksheets if any(map(any, s.iter_rows(values_only=True)))}
    if name is not None and name not in sheets:
        raise InputError(path, [f"has no sheet {name!r} with content; it has {_listed(sheets)}"])
    if name is None and len(sheets) > 1:
        raise InputError(
            path,
            [f"has several sheets, {_listed(sheets)}: name one, as sheet in the study file"],
        )
    if not sheets:
        raise InputError(path, ["is empty; a header and one row a patient are needed"])
    return sheets[name] if name else next(iter(sheets.values()))


def _listed(names):
    return ", ".join(map(repr, names)) or "none"


def _refuse_merged(path, sheet):
    merged = sorted(str(cells) for cells in sheet.merged_cells.ranges)
    if merged:
        shown = ", ".join(merged[:SHOWN_ROWS]) + (" and more" if len(merged) > SHOWN_ROWS else "")
        raise InputError(
            path, [f"cells {shown} are merged; unmerge them: one name a column, one row a patient"]
        )


def _refuse_unsaved_formulas(path, values, formulas, rows):
    lost = [
        (n, cell.coordinate)
        for n, row in enumerate(formulas.iter_rows(), start=1)
        for place, cell in enumerate(row)
        if cell.data_type == "f" and rows[n][place] is None
    ]
    problems = [
        Problem(
            f"cell {place} is a formula without a saved value; save the file in a spreadsheet "
            "program",
            [n],
        )
        for n, place in lost[:SHOWN_ROWS]
    ]
    if len(lost) > SHOWN_ROWS:
        problems.append(f"{len(lost) - SHOWN_ROWS} more cells like these")
    if problems:
        raise InputError(path, problems)


def _date_columns(rows):
    filled = [row for row in rows.values() if any(cell is not None for cell in row)]
    header, *body = filled or [[]]
    return frozenset(
        as_text(name)
        for place, name in enumerate(header)
        if name is not None and any(isinstance(row[place], datetime.date) for row in body)
    )


def _read_statistical(path, kind):
    import pyreadstat

    readers = {
        ".sav": pyreadstat.read_sav,
        ".zsav": pyreadstat.read_sav,
        ".dta": pyreadstat.read_dta,
        ".sas7bdat": pyreadstat.read_sas7bdat,
        ".xpt": pyreadstat.read_xport,
    }
    try:
        frame, described = readers[kind](str(path))
    except (pyreadstat.ReadstatError, pyreadstat.PyreadstatError, UnicodeDecodeError) as error:
        raise InputError(path, [_unreadable(error)]) from None
    labels_of = described.variable_value_labels
    if kind == ".sas7bdat":
        formats = _read_catalogue(path)
        used = described.variable_to_label.items()
        labels_of = {name: formats[form] for name, form in used if form in formats}
    return CohortFile(
        _from_frame(path, frame),
        {name: label for name, label in described.column_names_to_labels.items() if label},
        {
            name: {as_text(code): as_text(label) for code, label in labels.items()}
            for name, labels in labels_of.items()
        },
        _dates_of(frame),
    )


def _read_catalogue(path):
    """The labels of each format of SAS, from the catalogue beside a table."""
    import pyreadstat

    for catalogue in (path.with_suffix(".sas7bcat"), path.with_name("formats.sas7bcat")):
        if catalogue.is_file():
            try:
                return pyreadstat.read_sas7bcat(str(catalogue))[1].value_labels
            except (pyreadstat.ReadstatError, pyreadstat.PyreadstatError) as error:
                raise InputError(catalogue, [_unreadable(error)]) from None
    return {}


def _read_parquet(path, needed):
    import pyarrow
    from pyarrow import parquet

    try:
        file = parquet.ParquetFile(path)
        names = [n for n in file.schema_arrow.names if not re.fullmatch(PANDAS_INDEX, n)]
        if needed and needed < set(names):
            with contextlib.suppress(InputError):
                some = _read_columns(path, file, [name for name in names if name in needed])
                if some.cells.shape == (file.metadata.num_rows, len(needed)):
                    return some
        return _read_columns(path, file, names)
    except (pyarrow.ArrowInvalid, pyarrow.ArrowNotImplementedError, ValueError) as error:
        raise InputError(path, [_unreadable(error)]) from None


def _read_columns(path, file, names):
    """Read columns of a Parquet file one by one, each in pieces of whole row groups."""
    import pyarrow

    types = {name: file.schema_arrow.field(name).type for name in names}
    encoded = (_encode_pieces(file, name) for name in names)
    dates = frozenset(name for name in names if pyarrow.types.is_temporal(types[name]))
    return CohortFile(_from_columns(path, names, encoded), dates=dates)


def _encode_pieces(file, name):
    """A column as `_encode_arrow` has it, of which only a piece is held as it was read."""
    pieces = (file.read_row_groups(own, columns=[name]).column(0) for own in _row_groups(file))
    encoded = [_encode_arrow(piece) for piece in pieces]
    if len(encoded) == 1:
        return encoded[0]
    if any(isinstance(piece, pd.Categorical) for piece in encoded):
        return union_categoricals(
            [
                piece if isinstance(piece, pd.Categorical) else pd.Categorical(piece.astype(object))
                for piece in encoded
            ]
        )
    return pd.concat(map(pd.Series, encoded), ignore_index=True).array


def _row_groups(file):
    """Numbers of row groups that are read together: as many as make a piece."""
    together, n_row = [], 0
    for number in range(file.num_row_groups):
        together.append(number)
        n_row += file.metadata.row_group(number).num_rows
        if n_row >= PIECE:
            yield together
            together, n_row = [], 0
    if together or not file.num_row_groups:
        yield together


def _encode_arrow(column):
    """Categories of text of a column of Arrow, or its text where most patients differ."""
    import pyarrow
    from pyarrow import compute

    if pyarrow.types.is_nested(column.type):
        return encode(column.to_pandas().map(as_text))
    encoded = column
    if not pyarrow.types.is_dictionary(column.type):
        encoded = column.dictionary_encode()
    encoded = encoded.unify_dictionaries().combine_chunks()
    codes, values = encoded.indices.fill_null(-1).to_numpy(), encoded.dictionary
    if pyarrow.types.is_integer(values.type):
        values = values.cast(pyarrow.string())
    if pyarrow.types.is_string(values.type) and len(values) > len(codes) / 2:
        text = compute.utf8_trim(column.cast(pyarrow.string()).fill_null(""), BLANK)
        return pd.array(text, dtype="string[pyarrow]")
    return _categories(codes, values.to_pylist())


def encode(values) -> pd.Categorical:
    """Write values as text, each different one once; a missing one is a blank.

    Parameters
    ----------
    values : Series
    """
    return _categories(*pd.factorize(values))


def _categories(codes, values):
    """Categories of text from codes of values; the code -1 is a blank."""
    texts = np.array([*map(as_text, values), ""], dtype=object)
    codes_of_texts, categories = pd.factorize(texts)
    return pd.Categorical.from_codes(codes_of_texts[codes], categories)


def _from_frame(path, frame):
    columns = (encode(values) for _, values in frame.items())
    return _from_columns(path, list(map(str, frame.columns)), columns)


def _from_columns(path, names, columns, first=1):
    """A table of columns whose rows are numbered from `first`; blank ones are left out."""
    columns = [pd.Series(column) for column in columns]
    some, known = [], False
    for column in columns:
        filled = (column != "").to_numpy(bool)
        some.append(column[filled.argmax()] if filled.any() else "")
        known |= filled
    kept = _table(path, {0: names, 1: some}).columns
    cells = dict(zip(names, columns, strict=True))
    table = pd.DataFrame({name: cells[name] for name in kept}, copy=False)
    table.index = pd.RangeIndex(first, len(table) + first)
    return table if known.all() else table[known]


def _dates_of(frame):
    def is_date(values):
        if pd.api.types.is_datetime64_any_dtype(values):
            return True
        return any(isinstance(value, datetime.date) for value in values.dropna().head(50))

    return frozenset(str(name) for name, values in frame.items() if is_date(values))


def is_date_text(text) -> bool:
    """Whether a cell is a date as `as_text` writes it."""
    return bool(re.fullmatch(r"\d{4}-\d{2}-\d{2}", text))
