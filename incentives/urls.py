"""The own pages of incentives, below /me/incentives/."""

from django.urls import path

from incentives.views import lines, statements, today

urlpatterns = [
    path("", today.my_incentives, name="my_incentives"),
    path("read/<int:pk>/", today.my_plan_read, name="my_plan_read"),
    path("months/", statements.my_statements, name="my_statements"),
    path("month/", statements.my_statement, name="my_statement"),
    path("month.pdf", statements.my_statement_pdf, name="my_statement_pdf"),
    path("lines/<int:pk>/", lines.my_line, name="my_line"),
    path("lines/<int:pk>/dispute/", lines.my_line_dispute, name="my_line_dispute"),
]
