from library.models.snippet import Snippet

__all__ = ["Snippet"]
