"""Every finding about an activity file: the closed list of codes, and their messages as data.

A rule names a *reason*: a code, or a code and one of its other wordings (``bad-date/with-time``).
The words live here only. docs/errors.md is this list, printed; a test keeps the two equal.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import pyarrow as pa
import pyarrow.compute as pc

Severity = Literal["error", "warning"]

ERRORS_SCHEMA = pa.schema(
    [
        ("row", pa.int32()),
        ("field", pa.string()),
        ("value", pa.string()),
        ("code", pa.string()),
        ("severity", pa.string()),
        ("message", pa.string()),
    ]
)
"""One row a finding: ``row`` is the spreadsheet row (heading = 1), null for the whole file."""

SHOWN_LENGTH = 100
"""Characters of a value that a message repeats; ``value`` itself is always whole."""


@dataclass(frozen=True, slots=True)
class Code:
    """A kind of finding: its name, its messages and how a person mends it."""

    name: str
    severity: Severity
    title: str
    message: str
    mend: str
    example: str
    wordings: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reason:
    """What a rule reports: a code, its severity and the template of its message."""

    code: str
    severity: Severity
    message: str


CODES: tuple[Code, ...] = (
    Code(
        "empty-file",
        "error",
        "The file holds no records",
        "The file is empty.",
        "Upload the file that holds the month's activity: a row of headings, then the records.",
        "A csv file of 0 bytes, or one with a heading row only.",
        {"heading-alone": "The file has a heading row but no records."},
    ),
    Code(
        "unreadable-file",
        "error",
        "The file cannot be read",
        "The file is damaged and cannot be read: {detail}.",
        "Open it in Excel, save it again as .xlsx or .csv, and upload the new file.",
        "A workbook whose upload broke off half way.",
        {
            "too-big": "The workbook unpacks to more than {limit}, far more than activity needs.",
            "declares-entities": "The workbook holds XML declarations that Excel never writes.",
            "too-many-cells": "The sheet is too large to be read ({size}); save it as csv.",
            "no-sheet": "The workbook has no worksheet that a person can see.",
            "long-line": "A line of the file is longer than 32 MB; no row is that long.",
            "too-many-columns": "The file has more than 16,384 columns, the most that Excel has.",
            "too-many-ragged": "More than {limit} rows do not have as many cells as the headings; "
            "the separator or the quotes are probably not those of the headings.",
            "too-many-errors": "There are more than {limit} errors and warnings; the file is not "
            "what the data set expects.",
            "rows-lost": "Of its {there} rows {found} were found again; nothing of it is taken.",
            "long-cell": "A cell holds more than 131,072 characters, far more than Excel allows.",
            "unusual": "The workbook is written in an unusual way and larger than {limit}; "
            "open it in Excel and save it again.",
            "stray-cell": "Cell {cell} lies so far from the table that the sheet cannot be read; "
            "delete it and save the file again.",
        },
    ),
    Code(
        "encrypted-file",
        "error",
        "The workbook has a password",
        "The workbook is protected by a password and cannot be read.",
        "In Excel, remove the password (File, Info, Protect Workbook), save and upload again.",
        "activity.xlsx saved with a password to open.",
    ),
    Code(
        "bad-encoding",
        "error",
        "The text is in a mixed or unknown encoding",
        "This row holds bytes that are neither UTF-8 nor Windows-1252 text (byte {byte}).",
        "Save the file again as “CSV UTF-8”.",
        "A file glued together from one UTF-8 export and one Windows export.",
        {
            "mixed": "The file mixes UTF-8 and Windows-1252 text; the first byte that is not UTF-8 "
            "({byte}) stands in this row.",
            "nul": "This row holds a NUL character, so the file is not plain text.",
            "cell": "“{value}” in {field} holds a NUL character (shown as ␀), which is no text.",
            "half": "“{value}” in {field} holds half of a character, which is no text.",
            "utf-16": "The file says it is UTF-16 text but this row cannot be read as such.",
            "utf-32": "The file is UTF-32 text, which is not read.",
        },
    ),
    Code(
        "wrong-file-type",
        "error",
        "The file is neither a csv file nor an Excel workbook",
        "The file is {kind}, not a csv file or an Excel workbook (xlsx, xls).",
        "Upload the activity itself, saved as .xlsx, .xls or .csv.",
        "A photograph or a pdf renamed activity.csv.",
    ),
    Code(
        "missing-column",
        "error",
        "A required column is not there",
        "There is no column for {field}. These headings would do: {headings}.",
        "Name the column with one of the headings listed, or match it when uploading.",
        "A file without a heading for the patient.",
        {
            "transpose": "There is no column of activity codes to transpose. These headings "
            "would do: {headings}.",
            "layout": "The headings are those of no layout of the data set. The nearest is "
            "{layout}, for which there is no column for {field}; these headings would do: "
            "{headings}.",
            "several-layouts": "The headings could be those of {layouts}, so how the file is to "
            "be read cannot be told: {mending}.",
        },
    ),
    Code(
        "headings-elsewhere",
        "error",
        "The headings do not stand in the first row",
        "The headings stand in row {heading_row}, not in the first row.",
        "Delete the rows above the headings, or choose the row of the headings when uploading.",
        "A title and a blank row above the headings.",
        {
            "other-order": "Other headings stand in this row: the rows below it would be read "
            "under the wrong ones. Make a file of its own of what begins here.",
        },
    ),
    Code(
        "duplicate-column",
        "error",
        "Two columns hold one field",
        "Several columns are taken for {field}: {headings}. Keep one of them.",
        "Delete or rename all but one of the columns named.",
        "Both “Postcode” and “Post_code” among the headings.",
    ),
    Code(
        "data-after-empty-row",
        "error",
        "There is data below the end of the table",
        "The data end at the empty row {empty}, but this row holds more.",
        "Delete the empty rows, or whatever stands below the table, so that nothing is left out.",
        "A total written two rows below the last record.",
    ),
    Code(
        "ragged-row",
        "error",
        "A row has too many or too few cells",
        "This row has {cells} cells, the headings have {expected}.",
        "Put values that hold the separator in double quotes, and fill or remove cells.",
        "“Leeds, West” without quotes in a comma-separated file.",
        {
            "open-quote": "A double quote opened in this row is never closed; the rows below "
            "are read as they stand.",
            "stray-quote": "A double quote stands in this row where it cannot be told what it "
            "encloses; the rows below are read as they stand.",
            "rows-in-a-cell": "A double quote opened in this row would make one cell of rows "
            "below it; those are read as they stand.",
            "noted": "A note in this row says that it had too many cells or too few; mend the row, "
            "then delete the note.",
            "long-cell": "A cell that begins in this row is longer than 131,072 characters; "
            "a double quote is probably never closed.",
        },
    ),
    Code(
        "missing-value",
        "error",
        "A required value is blank",
        "{field} is blank.",
        "Fill in the value.",
        "A record without the patient's number.",
    ),
    Code(
        "unknown-code",
        "error",
        "The code is not in the field's list",
        "“{value}” is not a code for {field}.",
        "Use a code from the list of the data set.",
        "“C99”, where the list ends with C16.",
        {
            "cell": "The cell of {field} holds the Excel error “{value}”.",
            "narrow": "The cell of {field} holds “{value}”, which stands for a value that did not "
            "fit its column; widen the column and save the file again.",
            "twice": "The cell of {field} stands twice in the file: “{value}”.",
        },
    ),
    Code(
        "bad-date",
        "error",
        "Not a date",
        "“{value}” is not a date of the form YYYY-MM-DD in {field}.",
        "Write dates as YYYY-MM-DD in csv files; use real date cells, without a time, in "
        "workbooks. Dates are never guessed.",
        "“17/04/2017”, or “2017-02-30”.",
        {
            "not-date-cell": "“{value}” in {field} is not a date cell but text or a number.",
            "with-time": "“{value}” in {field} has a time of day, which a date has not.",
            "cell": "The cell of {field} holds the Excel error “{value}”.",
            "narrow": "The cell of {field} holds “{value}”, which stands for a value that did not "
            "fit its column; widen the column and save the file again.",
            "twice": "The cell of {field} stands twice in the file: “{value}”.",
        },
    ),
    Code(
        "bad-number",
        "error",
        "Not a whole number, or a number that Excel has rounded",
        "“{value}” is not a whole number in {field}.",
        "Write whole numbers in digits. Format columns of long numbers as text before typing.",
        "An age “forty”, the 16-digit number 1086331000000100 typed into a number cell, or a "
        "number that Excel saved as 1.23457E+15 (“1E5” is text).",
        {
            "rounded": "“{value}” in {field} has more than 15 digits and Excel has rounded it; "
            "format the column as text and enter it again.",
            "scientific": "“{value}” in {field} is a number whose digits were rounded away when "
            "the file was saved; format the column as text and enter it again.",
            "cell": "The cell of {field} holds the Excel error “{value}”.",
            "narrow": "The cell of {field} holds “{value}”, which stands for a value that did not "
            "fit its column; widen the column and save the file again.",
            "twice": "The cell of {field} stands twice in the file: “{value}”.",
        },
    ),
    Code(
        "out-of-range",
        "error",
        "The number or year is outside what the field allows",
        "“{value}” is outside {low} to {high}, the range of {field}.",
        "Correct the value.",
        "An age of 250.",
        {
            "low": "“{value}” is less than {low}, the least that {field} allows.",
            "high": "“{value}” is more than {high}, the most that {field} allows.",
            "year": "“{value}” is not a date between {low} and {high} in {field}.",
        },
    ),
    Code(
        "bad-pattern",
        "error",
        "The value does not have the form of the field",
        "“{value}” does not have the form of {field}.",
        "Correct the value; the data set gives the form as a regular expression.",
        "A practice “ABC”, where practices are a letter and five digits.",
        {
            "cell": "The cell of {field} holds the Excel error “{value}”.",
            "narrow": "The cell of {field} holds “{value}”, which stands for a value that did not "
            "fit its column; widen the column and save the file again.",
            "twice": "The cell of {field} stands twice in the file: “{value}”.",
            "snomed": "“{value}” in {field} is no SNOMED CT code, which has 6 to 18 digits and "
            "no zero in front.",
            "check-digit": "“{value}” in {field} is no SNOMED CT code: its last digit does not "
            "fit the others, so that one of them is wrong or was lost.",
            "looks-alike": "“{value}” in {field} looks like another value of the file but differs "
            "from it in spaces, quotes, or letters and digits that nobody can tell apart; write "
            "both alike.",
            "nobody": "“{value}” in {field} is what programs write for a missing value; it stands "
            "in several records, which would be one patient.",
            "heading": "The heading of column {letter} is the error “{value}” of a spreadsheet, so "
            "what the column holds cannot be told; write the heading and save the file again.",
        },
    ),
    Code(
        "too-long",
        "error",
        "The value is longer than the field allows",
        "“{value}” is longer than the {length} characters that {field} allows.",
        "Shorten the value.",
        "A patient's number of 60 characters.",
    ),
    Code(
        "unknown-lsoa",
        "error",
        "No such LSOA",
        "“{value}” is not an LSOA nor one of the pseudo codes.",
        "Look the postcode up again; for no fixed address or outside the UK use a pseudo code.",
        "“E99999999”.",
        {
            "cell": "The cell of {field} holds the Excel error “{value}”.",
            "narrow": "The cell of {field} holds “{value}”, which stands for a value that did not "
            "fit its column; widen the column and save the file again.",
            "twice": "The cell of {field} stands twice in the file: “{value}”.",
        },
    ),
    Code(
        "retired-lsoa",
        "error",
        "The LSOA had ended before the attendance",
        "“{value}” was no longer an LSOA on the attendance date; it ended on {ended}.",
        "Use the LSOA that is in force on the attendance date.",
        "An LSOA of 2011 that was split in 2021, for an attendance in 2024.",
    ),
    Code(
        "unknown-clinic",
        "error",
        "The clinic is not known",
        "“{value}” is not one of the clinics known for this provider.",
        "Correct the clinic's id, or add the clinic and its host commissioner first.",
        "A clinic that opened this month and is not listed yet.",
    ),
    Code(
        "wrong-provider",
        "error",
        "The record belongs to another provider",
        "“{value}” is not the provider of this submission, {provider}.",
        "Upload the record with its own provider's submission, or correct the code.",
        "RXX99 in the files of RXX01.",
    ),
    Code(
        "too-many-codes",
        "error",
        "An episode has more codes than the data set holds",
        "“{value}” is one code too many: an episode holds {slots} of {field}.",
        "Leave out the codes that do not count for the tariff.",
        "A thirteenth code of activity for one patient, clinic and day.",
        {
            "beyond": "“{value}” stands in a column beyond the {slots} slots of {field}; "
            "it would not be read.",
        },
    ),
    Code(
        "data-on-another-sheet",
        "error",
        "Another sheet holds records too",
        "The sheet “{sheet}” holds records too, but only “{read}” would be read.",
        "Put all records on one sheet, or choose the sheet that counts (on the page of headings, "
        "or with --sheet).",
        "An export that goes on on a second sheet.",
    ),
    Code(
        "formula-without-value",
        "error",
        "A formula whose result is not in the file",
        "The cell of {field} holds the formula “{value}”, but its result is not in the file.",
        "Open the file in Excel, which works formulas out, save it and upload it again.",
        "A workbook that a program wrote, with formulas, and that nobody has opened in Excel.",
    ),
    Code(
        "not-text",
        "error",
        "A cell shows something else than it holds",
        "The cell of {field} shows “{value}” but holds something else, so what is meant "
        "cannot be told.",
        "Format the column as text and enter the values as they should be read.",
        "The id MAR-1, which Excel has turned into 1 March 2017; or 1001 shown as 1,001.",
        {"date": "The cell of {field} holds the date “{value}”; Excel may have made it of a text."},
    ),
    Code(
        "sheet-not-read",
        "warning",
        "A sheet of the workbook is not read",
        "The sheet “{sheet}” is not read, only “{read}” is.",
        "Nothing, if the sheet holds no records.",
        "A sheet of notes beside the activity.",
        {"hidden": "The hidden sheet “{sheet}” is not read, only “{read}” is."},
    ),
    Code(
        "unknown-column",
        "warning",
        "A column is not part of the data set and is left out",
        "The column “{heading}” matches no field and is left out.",
        "Rename the column or match it to a field if it should count; otherwise nothing.",
        "A column “Comments”.",
        {
            "beyond": "The column “{heading}” is beyond the {slots} slots of {field}; it is empty.",
            "no-heading": "Column {letter} holds data but has no heading; it is left out.",
            "transpose": "The column “{heading}” holds one activity code a row and is left out; "
            "choose transposing when uploading to read it.",
            "layout": "The column “{heading}” is {of_field}, which files of the layout {layout} do "
            "not have; it is left out.",
        },
    ),
    Code(
        "joined-file",
        "warning",
        "Files were joined, or there are two rows of headings",
        "Another file begins in this row, which has a mark before its first value; it is read "
        "on without the mark.",
        "Nothing, if the files belong together; else upload each of them.",
        "Two exports glued together, of which the second has its headings or its byte order mark.",
        {
            "headings": "The headings stand in this row again; it is left out and the rows below "
            "are read on.",
            "two-rows": "The headings stand in this row; the row of other headings above it is "
            "left out.",
        },
    ),
    Code(
        "outside-month",
        "warning",
        "The date is outside the month of the submission",
        "“{value}” is outside the month of the submission, {month}.",
        "Nothing, if the record was left over from another month; otherwise correct the date.",
        "An attendance of April in the submission of May.",
    ),
    Code(
        "code-overwritten",
        "warning",
        "A later record of the episode replaced this code",
        "“{value}” of {field} was replaced by “{by}” of a later record of the same episode.",
        "Put the codes of one episode into different slots if all of them should count.",
        "One code in the first slot of a record, another in the first slot of the next.",
    ),
)

CATALOGUE: dict[str, Code] = {code.name: code for code in CODES}


def reason(name: str) -> Reason:
    """The reason called ``code`` or ``code/wording``; raises ``KeyError`` for any other."""
    code, _, wording = name.partition("/")
    entry = CATALOGUE[code]
    template = entry.wordings[wording] if wording else entry.message
    return Reason(entry.name, entry.severity, template)


def finding(
    name: str, *, row: int | None = None, field: str = "", value: str = "", **words: object
) -> dict[str, Any]:
    """One finding as a row of ``ERRORS_SCHEMA``; ``words`` fill the message's other gaps.

    With ``shown`` the message calls the field so.
    """
    reported = reason(name)
    shown_field = words.pop("shown", field)
    message = reported.message.format(field=shown_field, value=value[:SHOWN_LENGTH], **words)
    return {
        "row": row,
        "field": field or None,
        "value": value or None,
        "code": reported.code,
        "severity": reported.severity,
        "message": message,
    }


def errors_table(findings: Iterable[Mapping[str, Any]]) -> pa.Table:
    """Findings as a table of ``ERRORS_SCHEMA``."""
    return pa.Table.from_pylist(list(findings), schema=ERRORS_SCHEMA)


NO_ERRORS = errors_table([])


def messages_for(reason: Reason, values: pa.Array, **words: object) -> pa.Array:
    """The message of each value (strings, null for a blank), built as whole columns.

    A word may be an array beside ``values``; the others are the same for all of them.
    """
    columns = {name: word for name, word in words.items() if isinstance(word, pa.Array)}
    columns["value"] = shown(values)
    fixed = {name: word for name, word in words.items() if name not in columns}
    gaps = {name: f"\0{name}\0" for name in columns}
    parts = reason.message.format(**fixed, **gaps).split("\0")
    pieces = [columns[part] if at % 2 else pa.scalar(part) for at, part in enumerate(parts)]
    if len(pieces) == 1:
        return pa.repeat(pa.scalar(parts[0]), len(values))
    return pc.binary_join_element_wise(*pieces, pa.scalar(""), null_handling="replace")


def shown(values: pa.Array) -> pa.Array:
    """Values as messages repeat them: no longer than ``SHOWN_LENGTH``."""
    return pc.utf8_slice_codeunits(values, 0, SHOWN_LENGTH)
