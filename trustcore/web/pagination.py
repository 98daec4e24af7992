"""One way to page through a list: `?limit=&page=` (Tavus) with a ceiling."""

from typing import Any

from rest_framework.pagination import PageNumberPagination
from rest_framework.response import Response


class PageLimit(PageNumberPagination):  # type: ignore[misc]
    """Pages from 1. `limit` defaults to 10 and may be 100 at most."""

    page_size = 10
    max_page_size = 100
    page_size_query_param = "limit"

    def get_paginated_response(self, data: Any) -> Response:
        return Response({"data": data, "total_count": self.page.paginator.count})
