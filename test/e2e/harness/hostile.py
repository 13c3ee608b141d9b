"""Receivers that break the rules, each one a behaviour for Receiver."""


def says(text, stay=False):
    """Writes these bytes whatever was asked, then closes (or stays open)."""
    def behave(connection, _request):
        connection.send(text)
        if stay:
            connection.stopped.wait()
        return False
    return behave


def trickles(text, seconds=0.1):
    """A byte at a time."""
    def behave(connection, _request):
        for at in range(len(text)):
            connection.send(text[at:at + 1])
            if connection.stopped.wait(seconds):
                break
        return False
    return behave


def without_end(start, piece):
    """Goes on until it is cut off."""
    def behave(connection, _request):
        connection.send(start)
        while not connection.stopped.is_set():
            connection.send(piece)
        return False
    return behave


def resets_after(text):
    """Writes the beginning of an answer, then RST."""
    def behave(connection, _request):
        connection.send(text)
        return connection.reset()
    return behave


def chunks(*pieces, trailer=""):
    whole = "".join(f"{len(piece):x}\r\n{piece}\r\n" for piece in pieces)
    return f"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{whole}0\r\n{trailer}\r\n"
