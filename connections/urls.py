app_name = "connections"

urlpatterns = []
