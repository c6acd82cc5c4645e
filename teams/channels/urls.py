"""The page of one's own channels, and its verbs."""

from django.urls import path

from teams.channels import views

urlpatterns = [
    path("", views.notices, name="notices"),
    path("robot/", views.add_robot, name="notices_robot"),
    path("robot/<int:pk>/remove/", views.remove_robot, name="notices_remove"),
    path("test/", views.try_channel, name="notices_test"),
]
