"""The agent's own pages, below /me/."""

from django.urls import path

from performance.views import mine

urlpatterns = [
    path("", mine.my_day, name="my_day"),
    path("days/", mine.my_days, name="my_days"),
    path("contacts/", mine.my_contacts, name="my_contacts"),
    path("contacts/<int:pk>/", mine.my_contact, name="my_contact"),
    path("record/", mine.my_record, name="my_record"),
]
