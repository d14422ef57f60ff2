/* SPDX-License-Identifier: MIT */
/*
 * The sections of a config.json that have a file of their own.
 */
#pragma once

#include "launch/config/config.h"

/** config_linux_parse() - `linux`, into @config; what it owns is freed by config_deinit() */
int config_linux_parse(struct config *config, struct json_value value, struct error *error);

/** config_rdt_parse() - `linux.intelRdt` */
int config_rdt_parse(struct config_rdt *rdt, struct json_value value, struct error *error);

void config_rdt_deinit(struct config_rdt *rdt);

/** config_schedule_parse() - scheduler, ioPriority and execCPUAffinity of `process` */
int config_schedule_parse(struct config_process *process, struct json_value value,
			  struct error *error);

/** config_placement_parse() - memoryPolicy and personality of `linux` */
int config_placement_parse(struct config *config, struct json_value value, struct error *error);

/**
 * config_namespaces_parse() - of `linux`: namespaces, uidMappings, gidMappings, timeOffsets,
 * netDevices
 */
int config_namespaces_parse(struct config *config, struct json_value value, struct error *error);

/** config_ids_check() - do the id mappings have every id that the rest of the config uses? */
int config_ids_check(const struct config *config, struct error *error);

/** config_process_ids_check() - the same for a process, the config's own or another */
int config_process_ids_check(const struct config *config, const struct config_process *process,
			     struct error *error);
