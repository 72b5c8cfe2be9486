# What `cmake --install` puts where: headers, both libraries, and what find_package and pkg-config read.
include(CMakePackageConfigHelpers)

set(mproc_config_dir ${CMAKE_INSTALL_LIBDIR}/cmake/mproc)

install(TARGETS mproc_shared mproc_static EXPORT mproc-targets
        RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR}
        LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
        INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/mproc DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
        FILES_MATCHING PATTERN "*.h")
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DATAROOTDIR}/licenses/mproc)

install(EXPORT mproc-targets NAMESPACE mproc:: DESTINATION ${mproc_config_dir})
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/mproc-config.cmake.in
                              ${PROJECT_BINARY_DIR}/mproc-config.cmake INSTALL_DESTINATION ${mproc_config_dir})
# Before 1.0 a new minor version may break what was.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/mproc-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/mproc-config.cmake ${PROJECT_BINARY_DIR}/mproc-config-version.cmake
        DESTINATION ${mproc_config_dir})

# The prefix is found from where mproc.pc lies, so that an installation can be moved.
file(RELATIVE_PATH mproc_pc_up /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
string(REGEX REPLACE "/$" "" mproc_pc_up "${mproc_pc_up}")
list(JOIN mproc_pc_libraries " " mproc_pc_libs_private)
configure_file(${PROJECT_SOURCE_DIR}/cmake/mproc.pc.in ${PROJECT_BINARY_DIR}/mproc.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/mproc.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
