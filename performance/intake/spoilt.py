"""A row that cannot be read."""


class Spoilt(list[str]):
    """What could be saved of the row's cells, with the code of the reason why they cannot be taken as they are.

    `place` is the number of the cell at fault, from 0; None where it is the row as a whole, or nobody can tell.
    """

    def __init__(self, code: str, cells: list[str], place: int | None = None) -> None:
        super().__init__(cells)
        self.code, self.place = code, place
