"""What a start says when nobody can log in yet."""

import re

from django.urls import resolve

from config.runtime.prepare import first_link


def test_the_link_of_a_first_start_leads_to_its_page(db):
    (path,) = re.findall(r"http://127\.0\.0\.1:\d+(/\S+)", first_link())
    assert resolve(path).url_name == "first_start"
