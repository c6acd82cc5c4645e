"""Pages of the REST lists. In a file of its own because the framework's settings name it."""

from rest_framework.pagination import PageNumberPagination


class Pages(PageNumberPagination):
    page_size_query_param = "page_size"
    max_page_size = 500
