"""What a cycle asks of whoever drives it: a file, or records to be stored.

A cycle is a generator. It yields None after a slice of computing, a Want that the driver answers
by `send` with the bytes or with None for *absent*, and a Commit that the driver has stored, all
of it or nothing, before it resumes. The driver decides nothing and is trusted with nothing: what
it sends is verified, and *absent* is no more than withholding.
Rules: V-21, V-85, T-17.
"""

if False:  # for the type checker
    from errand import Changes, Sink


class Want:
    """One file, by number: (repository, kind, number) as on the wire (`ids`), and

    detail  metadata: its version, 0 the latest; time: [nonce, ...]; an image: its digest
    cap     the most bytes that will be accepted
    offset  where to begin; whoever resumes a transfer sets it
    sink    takes the bytes as they come, write(offset, data); None: they are gathered
    form    dataFormatIdentifier under which they come: FORM_... of `algorithms`, or 0
    until   where it ends for now: then the rest is wanted anew; 0: all comes at a time
    offer   the want is the other way round: this is a file to be fetched and passed on
    """

    def __init__(self, repository: int, kind: int, number: int, detail: object, cap: int) -> None:
        self.repository = repository
        self.kind = kind
        self.number = number
        self.detail = detail
        self.cap = cap
        self.offset = 0
        self.form = 0
        self.until = 0
        self.sink: "Sink | None" = None
        self.offer: bytes | None = None


class Commit:
    """Records to store at once: {record number: bytes, or None to delete}."""

    def __init__(self, changes: "Changes") -> None:
        self.changes = changes
