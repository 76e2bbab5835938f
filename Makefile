# Shorthands; `./run.py` needs no make.
UV ?= uv
LOCK = $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-annotate --no-header

.PHONY: demo test reset locks

demo test reset:
	@exec ./run.py $@ $(ARGS)

# After a change in requirements/*.in. Keeps the other pins; `make locks UPGRADE=--upgrade` renews all.
locks:
	cd requirements && for name in app demo dev s3 sentry otel; do $(LOCK) $(UPGRADE) $$name.in -o $$name.lock || exit; done
