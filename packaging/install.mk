# make packaging      files that follow from the program itself: man pages, shell completion, binfmt.d (committed; a test compares them)
# make install        copies everything below $(DESTDIR)$(PREFIX) and the configuration below $(DESTDIR)$(SYSCONFDIR); writes nowhere else
# make uninstall      removes what install copied; a configuration file that was changed stays
#
#   PREFIX=/usr/local   SYSCONFDIR=/etc   DESTDIR=   as usual. Nothing is started or enabled: docs/install.md.
PREFIX     ?= /usr/local
SYSCONFDIR ?= /etc
DESTDIR    ?=

.PHONY: packaging programs install uninstall

packaging:
	$(BUILD) daemon/Cli/Lodge.Cli.csproj
	$(BUILD) daemon/Lodged/Lodge.Lodged.csproj
	out/bin/lodge generate packaging

# Optimised, without symbols and reference texts, in a tree of their own.
RELEASE = $(BUILD) -c Release -p:DebugType=none -p:RunAnalyzers=false -p:EnforceCodeStyleInBuild=false
programs: shim
	$(RELEASE) daemon/Cli/Lodge.Cli.csproj "-p:OutDir=$(CURDIR)/out/install/lib/lodge/"
	$(RELEASE) daemon/Lodged/Lodge.Lodged.csproj "-p:OutDir=$(CURDIR)/out/install/lib/lodged/"

install: programs
	packaging/install-files install out/install "$(DESTDIR)" "$(PREFIX)" "$(SYSCONFDIR)"

uninstall:
	packaging/install-files uninstall out/install "$(DESTDIR)" "$(PREFIX)" "$(SYSCONFDIR)"
