"""Each worker of a parallel run has a cache of its own."""

from config.runtime.testing import cache_of


def test_each_worker_has_its_own_database_at_the_same_cache():
    assert cache_of("gw0", "unix:///tmp/a/vk?db=1") == "unix:///tmp/a/vk?db=2"
    assert cache_of("gw1", "unix:///tmp/a/vk?db=1") == "unix:///tmp/a/vk?db=3"
    assert cache_of("gw1", "redis://127.0.0.1:6379/9") == "redis://127.0.0.1:6379/11"
    assert cache_of("gw0", "redis://127.0.0.1:6379") == "redis://127.0.0.1:6379/1"
