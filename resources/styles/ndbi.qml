<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>
<qgis version="3.22.16-Białowieża" styleCategories="Symbology">
  <pipe-data-defined-properties>
    <Option type="Map">
      <Option type="QString" value="" name="name"/>
      <Option name="properties"/>
      <Option type="QString" value="collection" name="type"/>
    </Option>
  </pipe-data-defined-properties>
  <pipe>
    <provider>
      <resampling maxOversampling="2" enabled="false" zoomedOutResamplingMethod="nearestNeighbour" zoomedInResamplingMethod="nearestNeighbour"/>
    </provider>
    <rasterrenderer nodataColor="" band="1" classificationMax="1" type="singlebandpseudocolor" opacity="1" classificationMin="-1" alphaBand="-1">
      <minMaxOrigin>
        <limits>None</limits>
        <extent>WholeRaster</extent>
        <statAccuracy>Estimated</statAccuracy>
        <cumulativeCutLower>0.02</cumulativeCutLower>
        <cumulativeCutUpper>0.98</cumulativeCutUpper>
        <stdDevFactor>2</stdDevFactor>
      </minMaxOrigin>
      <rastershader>
        <colorrampshader maximumValue="1" clip="0" classificationMode="1" colorRampType="INTERPOLATED" minimumValue="-1" labelPrecision="6">
          <colorramp type="gradient" name="[source]">
            <Option type="Map">
              <Option type="QString" value="8,48,107,255" name="color1"/>
              <Option type="QString" value="107,15,15,255" name="color2"/>
              <Option type="QString" value="0" name="discrete"/>
              <Option type="QString" value="gradient" name="rampType"/>
              <Option type="QString" value="0.3;33,113,181,255:0.4;158,202,225,255:0.5;247,247,247,255:0.55;253,174,97,255:0.65;217,72,15,255" name="stops"/>
            </Option>
            <prop k="color1" v="8,48,107,255"/>
            <prop k="color2" v="107,15,15,255"/>
            <prop k="discrete" v="0"/>
            <prop k="rampType" v="gradient"/>
            <prop k="stops" v="0.3;33,113,181,255:0.4;158,202,225,255:0.5;247,247,247,255:0.55;253,174,97,255:0.65;217,72,15,255"/>
          </colorramp>
          <item color="#08306b" label="-1" alpha="255" value="-1"/>
          <item color="#2171b5" label="-0.4" alpha="255" value="-0.4"/>
          <item color="#9ecae1" label="-0.2" alpha="255" value="-0.2"/>
          <item color="#f7f7f7" label="0" alpha="255" value="0"/>
          <item color="#fdae61" label="0.1" alpha="255" value="0.1"/>
          <item color="#d9480f" label="0.3" alpha="255" value="0.3"/>
          <item color="#6b0f0f" label="1" alpha="255" value="1"/>
          <rampLegendSettings direction="0" orientation="2" minimumLabel="" prefix="" useContinuousLegend="1" maximumLabel="" suffix="">
            <numericFormat id="basic">
              <Option type="Map">
                <Option type="QChar" value="" name="decimal_separator"/>
                <Option type="int" value="6" name="decimals"/>
                <Option type="int" value="0" name="rounding_type"/>
                <Option type="bool" value="false" name="show_plus"/>
                <Option type="bool" value="true" name="show_thousand_separator"/>
                <Option type="bool" value="false" name="show_trailing_zeros"/>
                <Option type="QChar" value="" name="thousand_separator"/>
              </Option>
            </numericFormat>
          </rampLegendSettings>
        </colorrampshader>
      </rastershader>
    </rasterrenderer>
    <brightnesscontrast brightness="0" contrast="0" gamma="1"/>
    <huesaturation saturation="0" colorizeOn="0" colorizeGreen="128" colorizeStrength="100" invertColors="0" colorizeBlue="128" grayscaleMode="0" colorizeRed="255"/>
    <rasterresampler maxOversampling="2"/>
    <resamplingStage>resamplingFilter</resamplingStage>
  </pipe>
  <blendMode>0</blendMode>
</qgis>
